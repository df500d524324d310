"""The declaration: what the uploader says about one asset.

Silence is `unsure`. An absent choice (None) is not known and reads as the worst one; an absent list (None) is unknown,
an empty list means none. Each field's description is the question that the form asks.
"""

from typing import Annotated, Literal

from pydantic import Field

from shared.declaration.text import Code, Name, Prompt, Scope, Title
from shared.frozen import Frozen

Answer = Literal["yes", "no", "unsure"]
AnswerOrNone = Literal["yes", "no", "unsure", "not_applicable"]
Use = Literal[
    "ideation",
    "mood_board",
    "reference_image",
    "concept_art",
    "previs",
    "background_element",
    "character_design",
    "key_visual",
    "set_extension",
    "talent_work",
    "audio_work",
    "marketing",
    "other",
]
Deliverable = Literal["temporary", "final"]
OutputNature = Literal["generated", "enhanced", "mixed"]
StoryRole = Literal["none", "supporting_character", "main_character", "key_visual", "central_setting"]
Rights = Literal["owned", "licensed", "none", "unsure"]
ReferredKind = Literal["copyrighted", "estate", "performer", "public_figure", "artist_style", "own"]
UnionEffect = Literal["none", "affects", "replaces", "unsure"]
Treatment = Literal[
    "customary_enhancement",
    "dubbing",
    "alteration",
    "lip_sync",
    "digital_replica",
    "re_ageing",
    "synthetic_voice",
]
Environment = Literal["enterprise", "consumer", "unsure"]
InputKind = Literal["public", "own", "unreleased", "personal", "talent", "third_party"]
TrainedKind = Literal["own", "licensed", "public_domain", "copyrighted", "artist_style", "performer", "unknown"]


class Placement(Frozen):
    """Where the material is seen."""

    on_camera: Answer = Field("unsure", description="Will it be seen on camera?")
    legible_in_focus: AnswerOrNone = Field("unsure", description="Can it be read or recognised, in focus?")
    character_interacts: AnswerOrNone = Field("unsure", description="Does a character use, hold or read it?")
    story_relevant: AnswerOrNone = Field("unsure", description="Does the story rest on it?")


class ReferredTo(Frozen):
    """One work, person or style that the prompts or inputs refer to."""

    kind: ReferredKind | None = Field(None, description="What kind of material is referred to?")
    name: Name | None = Field(None, description="What is it called?")
    rights: Rights | None = Field(None, description="Does the production hold the rights to it?")


class RightsStatement(Frozen):
    """Whose material the output resembles and the prompts refer to."""

    recreates_protected: Answer = Field(
        "unsure", description="Does the output recreate recognisable features of material that the studio does not own?"
    )
    refers_to: Annotated[tuple[ReferredTo, ...], Field(max_length=100)] | None = Field(
        None, description="Which works, people or styles do prompts and inputs refer to? (an empty list: none)"
    )


class Truth(Frozen):
    """Whether an audience could be misled."""

    misleading_as_real: Answer = Field(
        "unsure", description="Could it be taken for real events, people or statements that never were?"
    )
    factual_programme: Answer = Field("unsure", description="Is it for a documentary or another factual programme?")


class Union(Frozen):
    """What the use does to work that a union covers."""

    effect: UnionEffect | None = Field(None, description="Does it affect or replace union-covered work?")
    name: Name | None = Field(None, description="Which union?")


class Talent(Frozen):
    """One performer and what is done to the likeness or performance."""

    name: Name | None = Field(None, description="Which performer?")
    treatment: Treatment | None = Field(None, description="What is done to the likeness or performance?")
    within_norms: AnswerOrNone = Field("unsure", description="Is it within strict industry norms?")
    agreed: AnswerOrNone = Field("unsure", description="Has the performer agreed to it?")


class Input(Frozen):
    """One kind of material that goes into a tool."""

    kind: InputKind | None = Field(None, description="What kind of material goes in?")
    rights: Rights | None = Field(None, description="Does the production hold the rights to it?")


class TrainingData(Frozen):
    """One kind of material that a model was trained on."""

    kind: TrainedKind | None = Field(None, description="What was the model trained on?")
    rights: Rights | None = Field(None, description="Does the production hold the rights to it?")


class CustomModel(Frozen):
    """A model trained or tuned for the work."""

    trained_on: Annotated[tuple[TrainingData, ...], Field(max_length=100)] | None = Field(
        None, description="What was the model trained or tuned on? (an empty list: nothing)"
    )
    performer: Name | None = Field(None, description="To which performer is the model bound?")
    production: Code | None = Field(None, description="For which production was the model made?")
    scope: Scope | None = Field(None, description="What scope was agreed with the performer?")
    quality_check: Answer = Field("unsure", description="Is there a quality check of the model on record?")


class Stage(Frozen):
    """One step of the workflow, with its tool and what went in."""

    name: Name | None = Field(None, description="What is this stage called?")
    vendor: Name | None = Field(None, description="Who provides the tool?")
    tool: Name | None = Field(None, description="Which tool is used?")
    tool_version: Code | None = Field(None, description="Which version of the tool?")
    environment: Environment = Field("unsure", description="Is the tool enterprise-secured, or a consumer tool?")
    stores_reuses_or_trains: Answer = Field(
        "unsure", description="Does the tool store, reuse or train on what goes in or comes out?"
    )
    human_control: Answer = Field("unsure", description="Does a person direct and accept the output of this stage?")
    output_checked: Answer = Field("unsure", description="Is the output checked and its origin kept?")
    prompts: Annotated[tuple[Prompt, ...], Field(max_length=50)] = Field(
        (), description="Which prompts were used? (kept, not judged)"
    )
    inputs: Annotated[tuple[Input, ...], Field(max_length=200)] | None = Field(
        None, description="What material goes into the tool? (an empty list: none)"
    )
    model: CustomModel | None = Field(None, description="Was a model trained or tuned for this? Which?")


class Declaration(Frozen):
    """All that an uploader can say. Only `production` is mandatory."""

    production: Code = Field(description="Which production is it for?")
    title: Title | None = Field(None, description="What is it called?")
    shot: Code | None = Field(None, description="Which shot?")
    task: Code | None = Field(None, description="Which task?")
    version: Code | None = Field(None, description="Which version?")
    external_ids: Annotated[dict[Code, Name], Field(max_length=20)] = Field(
        default_factory=dict, description="Under which ids do other systems know it?"
    )
    genai_used: Answer = Field("unsure", description="Was generative AI used, at any stage?")
    use: Use | None = Field(None, description="What is it used for?")
    deliverable: Deliverable | None = Field(None, description="Is it temporary, or part of a final deliverable?")
    output_nature: OutputNature | None = Field(None, description="Was the output generated, enhanced, or both?")
    story_role: StoryRole | None = Field(None, description="What part does it play in the story?")
    placement: Placement = Field(Placement.model_validate({}), description="Where is it seen?")
    rights: RightsStatement = Field(RightsStatement.model_validate({}), description="Whose material is it like?")
    truth: Truth = Field(Truth.model_validate({}), description="Could an audience be misled?")
    union: Union = Field(Union.model_validate({}), description="Does it touch union-covered work?")
    talent: Annotated[tuple[Talent, ...], Field(max_length=100)] | None = Field(
        None, description="Whose likeness or performance is touched? (an empty list: nobody's)"
    )
    stages: Annotated[tuple[Stage, ...], Field(max_length=50)] = Field(
        (), description="Through which stages was it made, with which tools?"
    )
    territories: Annotated[tuple[Code, ...], Field(max_length=250)] | None = Field(
        None, description="In which territories will it be shown?"
    )
    documents: Annotated[tuple[Code, ...], Field(max_length=100)] = Field(
        (), description="Which approvals, consents or clearances are on record for it?"
    )
