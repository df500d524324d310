"""Every message about a faulty rulebook, word for word: place, what was found, remedy."""

import pytest

from shared.rulebook.loader import InvalidRulebook, load_rulebook, parse_rulebook
from tests.rulebook.texts import GOOD, HEADER, RULE


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidRulebook) as caught:
        parse_rulebook({"r.yaml": text})
    return [str(fault) for fault in caught.value.faults]


def when(condition: str) -> list[str]:
    return faults(GOOD.replace("when: {deliverable: final}", f"when: {condition}"))


def test_the_text_that_the_faults_start_from_is_good():
    rulebook = parse_rulebook({"r.yaml": GOOD})
    assert [rule.id for rule in rulebook.rules] == ["R-1"]
    assert rulebook.rule("R-1") is rulebook.rules[0]
    assert rulebook.rule("R-2") is None


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("{use2: x}", "6:10: rules[0].when.use2: there is no fact `use2` here; did you mean `use`?"),
        ("{zzz: x}", "6:10: rules[0].when.zzz: there is no fact `zzz` here; docs/rulebook.md lists them all"),
        (
            "{stage.tool: x}",
            "6:10: rules[0].when.stage.tool: there is no fact `stage.tool` here;"
            " it is known to rules with `for: stage` only",
        ),
        (
            "{deliverable: finale}",
            "6:10: rules[0].when.deliverable: `finale` is no value of `deliverable`; did you mean `final`?",
        ),
        (
            "{use: [mood_board, unsure]}",
            "6:28: rules[0].when.use[1]: `unsure` is no value of `use`;"
            " leave it out: what is not known is always read as the worse answer",
        ),
        ("{genai_used: true}", "6:10: rules[0].when.genai_used: found the truth value true; write `yes`"),
        ("{use: 3}", "6:10: rules[0].when.use: `3` is no text; write it in quotes"),
        ("{use: []}", "6:10: rules[0].when.use: an empty list never fits; name at least one value"),
        ("{stages: x}", "6:10: rules[0].when.stages: `stages` is a list; write `some: {…}` or `none: {…}`"),
        (
            "{use: {is: x}}",
            "6:16: rules[0].when.use.is: there is no test `is`; use one of: not, at_least, below, some, none",
        ),
        ("{use: {}}", "6:10: rules[0].when.use: an empty test; write one of: not, at_least, below, some, none"),
        ("{use: {at_least: 1}}", "6:10: rules[0].when.use: `use` is no number; write the value itself"),
        ("{use: {some: {}}}", "6:16: rules[0].when.use.some: `use` is no list of records; write the value itself"),
        (
            "{findings: {some: {share_of_upload: {below: x}}}}",
            "6:46: rules[0].when.findings.some.share_of_upload.below: `x` is no number; write a number such as 0.3",
        ),
        (
            "{findings: {some: {share_of_upload: 1}}}",
            "6:28: rules[0].when.findings.some.share_of_upload: `share_of_upload` is a number;"
            " write `at_least:` or `below:`",
        ),
        (
            "{any: {}}",
            "6:10: rules[0].when.any: `any` takes a list of conditions; write `- fact: value` lines under it",
        ),
        ("[x]", "6:3: rules[0].when: found a list; write facts and the values they must have"),
        (
            "{all: [{deliverable: final}, {deliverable: temporary}]}",
            "9:22: rules[0].examples.fires[0]: the example does not fire `R-1`;"
            " correct the example or the rule's `when`",
        ),
        (
            "{}",
            "9:68: rules[0].examples.near_miss[0]: the near miss fires `R-1`; correct the example or the rule's `when`",
        ),
    ],
)
def test_conditions(condition, message):
    assert when(condition) == [f"r.yaml:{message}"]


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("caution", "cautious", ["7:3: rules[0].outcome: `cautious` is not allowed; did you mean `caution`?"]),
        (
            "serves:",
            "servs:",
            [
                "3:3: rules[0].serves: is missing; add it",
                "5:3: rules[0].servs: there is no field `servs`; did you mean `serves`?",
            ],
        ),
        (
            "It is final.",
            "It is {final}.",
            [
                "8:3: rules[0].because: there is no place `{final}` here;"
                " use one of: production, use, deliverable, story_role, referred_to"
            ],
        ),
        (
            "It is final.",
            "It is {use!r}.",
            ["8:3: rules[0].because: there is no place `{use}` here; did you mean `use`?"],
        ),
        (
            "It is final.",
            "It is {final.",
            [
                "8:3: rules[0].because: not a valid text: expected '}' before end of string;"
                " write `{{` and `}}` for plain braces"
            ],
        ),
        (
            "near_miss: [{}]",
            "near_miss: [{declare: {deliverable: final}}]",
            [
                "9:68: rules[0].examples.near_miss[0]: the example contradicts another:"
                " it also stands under `fires`; remove one of them"
            ],
        ),
        (
            "near_miss: [{}]",
            "near_miss: [{declare: {delivrable: final}}]",
            [
                "9:68: rules[0].examples.near_miss[0]: not a valid declaration:"
                " delivrable: there is no such field; did you mean `deliverable`?"
            ],
        ),
        (
            "near_miss: [{}]",
            "near_miss: [{findings: [{kind: provenance, source: exif}]}]",
            ["9:80: rules[0].examples.near_miss[0].findings[0].provenance.claim: is missing; add it"],
        ),
        (
            "near_miss: [{}]",
            "near_miss: []",
            ["9:56: rules[0].examples.near_miss: has too few entries; write at least 1"],
        ),
        (
            "{deliverable: final}}]",
            "{deliverable: final}, outcome: escalate}]",
            ["9:22: rules[0].examples.fires[0]: the outcome is `caution`, not `escalate`; correct one of them"],
        ),
        (
            "outcome: caution",
            "outcome: caution\n  milder: {when: {}, outcome: escalate}\n  alone: yes",
            ["9:3: rules[0].alone: found a text; write true or false"],
        ),
        (
            "outcome: caution",
            "outcome: caution\n  milder: {when: {}, outcome: escalate}\n  alone: true",
            [
                "8:22: rules[0].milder.outcome: `escalate` is not milder than `caution`; choose a lower outcome",
                "8:12: rules[0].milder.when: an empty condition always holds; say where the rule is milder",
                "9:3: rules[0].alone: only a rule that clears may wait for others; state it in `when`",
            ],
        ),
        (
            "title: A rule",
            "title: !!python/name:os.system A",
            [
                "4:10: rules[0].title: the tag tag:yaml.org,2002:python/name:os.system is not known here;"
                " write plain values",
                "4:3: rules[0].title: found nothing; write a text",
            ],
        ),
        (
            "  title: A rule",
            "  title: A rule\n  title: Another",
            ["5:3: rules[0].title: the key `title` appears twice, first on line 4; keep one of them"],
        ),
        ("id: R-1", "id: r 1", [
            "3:3: rules[0].id: `r 1` is not well formed;"
            " it must fit ^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?$"
        ]),
        ("version: 1.0.0", "version: 1", ['1:23: rulebook.version: found a number; write it in quotes: "1"']),
        ("production: p", "produce: p", [
            "1:59: rulebook.baseline: produce: there is no such field; did you mean `production`?",
            "1:59: rulebook.baseline: production: is missing; add it",
        ]),
        (HEADER, "", ["1:1: rulebook: there is no `rulebook:` block; add id, version, title and baseline"]),
        (GOOD, "", ["1:1: rulebook: there is no `rulebook:` block; add id, version, title and baseline"]),
        (GOOD, "- 1", ["1:1: rulebook: found a list; write fields and their values"]),
        (RULE, "rules: &a [*a]\n", [
            "2:8: rules[0]: an anchor that contains itself; write the value out",
            "2:8: rules[0]: found nothing; write fields and their values",
        ]),
        (RULE, "rules: [\n", [
            "3:1: rulebook: not valid YAML: expected the node content, but found '<stream end>'; correct it"
        ]),
    ],
)  # fmt: skip
def test_rules_and_headers(old, new, messages):
    assert faults(GOOD.replace(old, new, 1)) == [f"r.yaml:{message}" for message in messages]


def test_all_faults_are_told_at_once():
    other = (
        RULE.replace("R-1", "R-2").replace("deliverable: final}\n", "deliverabel: final}\n").removeprefix("rules:\n")
    )
    text = GOOD.replace("caution", "cautious") + other
    assert [line.split(": ")[1] for line in faults(text)] == ["rules[0].outcome", "rules[1].when.deliverabel"]


def test_one_id_for_two_rules():
    text = GOOD + RULE.removeprefix("rules:\n")
    assert faults(text) == ["r.yaml:10:3: rules[1].id: the id `R-1` appears twice; give each rule its own id"]


@pytest.mark.slow
def test_floods_are_refused():
    many = HEADER + "rules:\n" + "- {id: R-1}\n" * 10_000
    assert faults(many) == [
        "r.yaml:1003:3: rules[1000]: there are more than 1,000 rules;"
        " join rules that differ in a value only: a test takes a list of values"
    ]
    large = faults(HEADER + "#" * 600_000)
    assert large == [f"r.yaml:1:1: rulebook: the text has {600_000 + len(HEADER):,} characters; "
                     "keep it under 524,288 characters, or split it"]  # fmt: skip
    aliases = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert "more than 200,000 values" in faults("x0: &x0 [1]\n" + aliases)[0]
    nested = faults(HEADER + "rules: [{when: " + "{not: " * 100 + "}" * 100 + "}]")
    assert any("nested deeper than 50 levels" in line for line in nested)


def test_a_folder_without_rules(tmp_path):
    with pytest.raises(InvalidRulebook, match="there is no YAML file; name a file or folder"):
        load_rulebook(tmp_path)


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidRulebook, match=r"r.yaml:1:1: rulebook: is no UTF-8 text; save it as UTF-8"):
        load_rulebook(path)


def test_a_rulebook_in_several_files(tmp_path):
    (tmp_path / "a.yaml").write_text(HEADER)
    (tmp_path / "b.yaml").write_text(RULE)
    (tmp_path / "c.yaml").write_text(HEADER)
    with pytest.raises(InvalidRulebook) as caught:
        load_rulebook(tmp_path)
    assert [str(fault) for fault in caught.value.faults] == [
        "c.yaml:1:1: rulebook: a second `rulebook:` block; keep it in one file"
    ]
    (tmp_path / "c.yaml").unlink()
    assert load_rulebook(tmp_path).version.id == "small"
