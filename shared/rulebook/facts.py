"""Joins declaration, findings and the known terms of tools into facts. Pure."""

from collections.abc import Sequence
from typing import Literal

from shared.declaration.model import CustomModel, Declaration, Rights, Stage
from shared.findings import Finding
from shared.rulebook.facts_model import (
    Facts,
    InputFacts,
    KnownRights,
    ModelFacts,
    PlacementFacts,
    ReferredFacts,
    RightsFacts,
    StageFacts,
    TalentFacts,
    TrainingFacts,
    TruthFacts,
    UnionFacts,
    YesNo,
)
from shared.rulebook.finding_facts import finding_facts
from shared.rulebook.tools import KnownTool, tool_key

Said = Literal["yes", "no", "unsure"]
_IMPLIED_RIGHTS: dict[str, KnownRights] = {"own": "owned", "unreleased": "owned", "licensed": "licensed"}
_FREE = ("public", "public_domain")


def facts(declaration: Declaration, findings: Sequence[Finding], tools: Sequence[KnownTool] = ()) -> Facts:
    """The facts of one asset. What was not said is None; an unknown list of talent or stages is one unknown entry."""
    observed = finding_facts(findings)
    marked = any(finding.generative == "yes" for finding in observed)
    genai: YesNo | None = "yes" if marked else _answer(declaration.genai_used)
    placement, truth = declaration.placement, declaration.truth
    return Facts(
        production=declaration.production,
        genai_declared=declaration.genai_used,
        genai_used=genai,
        use=declaration.use,
        deliverable=declaration.deliverable,
        output_nature=declaration.output_nature,
        story_role=declaration.story_role,
        placement=PlacementFacts.model_validate(_without_unsure(placement.model_dump())),
        rights=_rights_facts(declaration),
        truth=TruthFacts.model_validate(_without_unsure(truth.model_dump())),
        union=_union_facts(declaration),
        territories=declaration.territories,
        documents=declaration.documents,
        talent=_talent_facts(declaration),
        stages=_stages(declaration, genai, tools),
        findings=observed,
    )


def _answer(said: Said) -> YesNo | None:
    return None if said == "unsure" else said


def _without_unsure(values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value not in ("unsure", None)}


def _rights(kind: str | None, stated: Rights | None) -> KnownRights | None:
    """Rights are asked for only where the kind leaves them open."""
    if kind in _FREE:
        return "free"
    if stated is None and kind is not None:
        return _IMPLIED_RIGHTS.get(kind)
    return None if stated == "unsure" else stated


def _rights_facts(declaration: Declaration) -> RightsFacts:
    said = declaration.rights
    referred = said.refers_to
    return RightsFacts(
        recreates_protected=_answer(said.recreates_protected),
        refers_to=None
        if referred is None
        else tuple(ReferredFacts(kind=r.kind, name=r.name or "", rights=_rights(r.kind, r.rights)) for r in referred),
    )


def _union_facts(declaration: Declaration) -> UnionFacts:
    effect = declaration.union.effect
    return UnionFacts(effect=None if effect == "unsure" else effect, name=declaration.union.name or "")


def _talent_facts(declaration: Declaration) -> tuple[TalentFacts, ...]:
    if declaration.talent is None:
        return (TalentFacts(),)
    return tuple(TalentFacts.model_validate(_without_unsure(talent.model_dump())) for talent in declaration.talent)


def _stages(declaration: Declaration, genai: YesNo | None, tools: Sequence[KnownTool]) -> tuple[StageFacts, ...]:
    if not declaration.stages:
        return () if genai == "no" else (StageFacts(),)
    terms = {tool_key(tool.vendor, tool.tool): tool for tool in tools}
    return tuple(
        _stage_facts(number, stage, declaration.production, terms.get(tool_key(stage.vendor, stage.tool)))
        for number, stage in enumerate(declaration.stages, 1)
    )


def _stage_facts(number: int, stage: Stage, production: str, terms: KnownTool | None) -> StageFacts:
    environment: Literal["enterprise", "consumer"] | None = None
    stores: YesNo | None = None
    if stage.tool:  # what is said about a tool without a name counts as not known (W-1)
        environment = None if stage.environment == "unsure" else stage.environment
        stores = _answer(stage.stores_reuses_or_trains)
    compared: Literal["none", "agree", "differ"] = "none"
    if terms is not None:  # the worse of both counts
        on_record = (terms.environment, terms.stores_reuses_or_trains)
        agree = environment in (None, on_record[0]) and stores in (None, on_record[1])
        compared = "agree" if agree else "differ"
        environment = environment if environment == "consumer" else terms.environment
        stores = stores if stores == "yes" else terms.stores_reuses_or_trains
    return StageFacts(
        number=number,
        name=stage.name or "",
        vendor=stage.vendor or "",
        tool=stage.tool or "",
        tool_version=stage.tool_version or "",
        tool_named=_yes(stage.tool),
        vendor_named=_yes(stage.vendor),
        environment=environment,
        stores_reuses_or_trains=stores,
        terms_on_record=compared,
        human_control=_answer(stage.human_control),
        output_checked=_answer(stage.output_checked),
        inputs=None
        if stage.inputs is None
        else tuple(InputFacts(kind=i.kind, rights=_rights(i.kind, i.rights)) for i in stage.inputs),
        model=ModelFacts() if stage.model is None else _model_facts(stage.model, production),
    )


def _yes(value: object) -> YesNo:
    return "yes" if value else "no"


def _model_facts(model: CustomModel, production: str) -> ModelFacts:
    trained = model.trained_on
    return ModelFacts(
        made="yes",
        trained_on=None
        if trained is None
        else tuple(TrainingFacts(kind=_trained_kind(t.kind), rights=_rights(t.kind, t.rights)) for t in trained),
        of_performer=_of_performer(model),
        performer_named=_yes(model.performer),
        performer=model.performer or "",
        production=_whose(model.production, production),
        scope_stated=_yes(model.scope),
        quality_check=_answer(model.quality_check),
    )


def _trained_kind(kind: object) -> object:
    return None if kind == "unknown" else kind


def _of_performer(model: CustomModel) -> YesNo | None:
    kinds = None if model.trained_on is None else {item.kind for item in model.trained_on}
    if model.performer or (kinds is not None and "performer" in kinds):
        return "yes"
    return None if kinds is None or kinds & {None, "unknown"} else "no"


def _whose(named: str | None, production: str) -> Literal["this", "other"] | None:
    if not named:
        return None
    return "this" if named.strip().casefold() == production.strip().casefold() else "other"
