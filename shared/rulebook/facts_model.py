"""The facts that rules may ask about: one typed model of an asset, its stages, talent and findings.

None means "not known" (silence or `unsure`) wherever it is allowed. Names follow the declaration, so that a fault can
be traced back to the field that was answered.
"""

from typing import Literal

from pydantic import Field

from shared.declaration.model import (
    Deliverable,
    InputKind,
    OutputNature,
    ReferredKind,
    StoryRole,
    TrainedKind,
    Treatment,
    Use,
)
from shared.frozen import Frozen

YesNo = Literal["yes", "no"]
Answered = Literal["yes", "no", "not_applicable"]
KnownRights = Literal["owned", "licensed", "free", "none"]
"""`free`: public or public-domain material, for which no rights are needed."""


class PlacementFacts(Frozen):
    on_camera: YesNo | None = Field(None, description="it is seen on camera")
    legible_in_focus: Answered | None = Field(None, description="it can be read or recognised, in focus")
    character_interacts: Answered | None = Field(None, description="a character uses it")
    story_relevant: Answered | None = Field(None, description="the story rests on it")


class ReferredFacts(Frozen):
    kind: ReferredKind | None = Field(None, description="the kind of material referred to")
    name: str = Field("", description="what it is called")
    rights: KnownRights | None = Field(None, description="the production's rights to it")


class RightsFacts(Frozen):
    recreates_protected: YesNo | None = Field(None, description="the output recreates protected material")
    refers_to: tuple[ReferredFacts, ...] | None = Field(None, description="what prompts and inputs refer to")


class TruthFacts(Frozen):
    misleading_as_real: YesNo | None = Field(None, description="it could be taken for real")
    factual_programme: YesNo | None = Field(None, description="it is for a factual programme")


class UnionFacts(Frozen):
    effect: Literal["none", "affects", "replaces"] | None = Field(None, description="the effect on union-covered work")
    name: str = Field("", description="the union's name")


class InputFacts(Frozen):
    kind: InputKind | None = Field(None, description="the kind of material")
    rights: KnownRights | None = Field(None, description="the production's rights to it")


class TrainingFacts(Frozen):
    kind: TrainedKind | None = Field(None, description="the kind of training material")
    rights: KnownRights | None = Field(None, description="the production's rights to it")


class ModelFacts(Frozen):
    made: YesNo = Field("no", description="a model was trained or tuned")
    trained_on: tuple[TrainingFacts, ...] | None = Field((), description="what the model was trained on")
    of_performer: YesNo | None = Field("no", description="the model is trained on a performer")
    performer_named: YesNo = Field("no", description="the performer of the model is named")
    performer: str = Field("", description="the performer's name")
    production: Literal["this", "other"] | None = Field(None, description="the production the model was made for")
    scope_stated: YesNo = Field("no", description="the agreed scope of the model is stated")
    quality_check: YesNo | None = Field(None, description="a quality check of the model is on record")


class StageFacts(Frozen):
    number: int = Field(1, description="the stage's place in the workflow, from 1")
    name: str = Field("", description="the stage's name")
    vendor: str = Field("", description="the vendor's name")
    tool: str = Field("", description="the tool's name")
    tool_version: str = Field("", description="the tool's version")
    tool_named: YesNo = Field("no", description="the tool is named")
    vendor_named: YesNo = Field("no", description="the vendor is named")
    environment: Literal["enterprise", "consumer"] | None = Field(None, description="the environment the tool runs in")
    stores_reuses_or_trains: YesNo | None = Field(None, description="the tool stores, reuses or trains on material")
    terms_on_record: Literal["none", "agree", "differ"] = Field(
        "none", description="how what is declared of the tool compares with its terms on record"
    )
    human_control: YesNo | None = Field(None, description="a person directs and accepts the output")
    output_checked: YesNo | None = Field(None, description="the output is checked and its origin kept")
    inputs: tuple[InputFacts, ...] | None = Field(None, description="the material that goes in")
    model: ModelFacts = Field(ModelFacts(), description="the model trained for this stage")


class TalentFacts(Frozen):
    name: str = Field("", description="the performer's name")
    treatment: Treatment | None = Field(None, description="what is done to likeness or performance")
    within_norms: Answered | None = Field(None, description="it is within strict industry norms")
    agreed: Answered | None = Field(None, description="the performer has agreed")


class FindingFacts(Frozen):
    number: int = Field(0, description="the finding's place in the list, from 0")
    kind: Literal[
        "reference_match", "provenance", "likeness", "unscreenable", "not_matched", "trailing_data", "unknown"
    ] = Field("unknown", description="the kind of finding")
    reference: str = Field("", description="the id of the matched reference")
    bank: str = Field("", description="the bank of the matched reference")
    purpose: Literal["protect", "allow", "none"] = Field("none", description="what the bank is for")
    extent: Literal["whole", "part", "element", "common", "none"] = Field(
        "none", description="how much of a protected work the upload holds"
    )
    share_of_upload: float = Field(0.0, description="the share of the upload that the work fills, 0 to 1")
    coverage_of_reference: float = Field(0.0, description="the share of the work that the upload holds, 0 to 1")
    allowed_by: tuple[str, ...] = Field((), description="references of allow banks on the same region")
    source: str = Field("", description="where the mark of provenance was found")
    claim: str = Field("", description="what the mark says")
    generative: YesNo = Field("no", description="the mark says that the file was generated")
    trust: Literal["trusted", "untrusted", "tampered", "unresolved", "none"] = Field(
        "none", description="how far the mark can be trusted"
    )
    performer: str = Field("", description="the performer who was recognised")
    media: Literal["audio", "video", "document", "none"] = Field("none", description="the kind of file not matched")
    reason: str = Field("", description="why the file could not be screened")


class Facts(Frozen):
    """All that a rulebook decides on. Recorded with a verdict, it can be decided again."""

    production: str = Field(description="the production's slug")
    genai_declared: Literal["yes", "no", "unsure"] = Field(
        "unsure", description="what the uploader says about generative AI, word for word"
    )
    genai_used: YesNo | None = Field(None, description="generative AI was used (declared, or marked in the file)")
    use: Use | None = Field(None, description="what it is used for")
    deliverable: Deliverable | None = Field(None, description="what it is delivered as (temporary or final)")
    output_nature: OutputNature | None = Field(
        None, description="how the output was made: generated, enhanced or mixed"
    )
    story_role: StoryRole | None = Field(None, description="its part in the story")
    placement: PlacementFacts = Field(PlacementFacts(), description="where it is seen")
    rights: RightsFacts = Field(RightsFacts(), description="whose material it is like")
    truth: TruthFacts = Field(TruthFacts(), description="whether an audience could be misled")
    union: UnionFacts = Field(UnionFacts(), description="its effect on union-covered work")
    territories: tuple[str, ...] | None = Field(None, description="where it will be shown")
    documents: tuple[str, ...] = Field((), description="the documents that the declaration names, by id")
    talent: tuple[TalentFacts, ...] = Field((), description="whose likeness or performance is touched")
    stages: tuple[StageFacts, ...] = Field((), description="the stages of the workflow")
    findings: tuple[FindingFacts, ...] = Field((), description="what screening observed")


Subject = StageFacts | TalentFacts | FindingFacts | None
"""What a rule looks at beside the asset: one stage, one performer, one finding; None for a rule about the asset."""
