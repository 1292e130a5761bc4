"""prefect.yaml and automations.yaml are checked against the code: each mistake is reported with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deployments.checking import check, event_names
from deployments.checking.check import check_automations, check_deployments
from tests.conftest import ROOT

Told = Callable[[str], list[str]]

DEPLOYMENTS = """\
name: test
prefect-version: 3.8.8
definitions:
  - &once
    limit: 1
    collision_strategy: ENQUEUE
deployments:
  - name: one
    entrypoint: flows/spotlight.py:spotlight
    description: A story.
    concurrency_limit: *once
    parameters:
      source: sample
    triggers:
      - name: trending
        expect: [hn.story.trending]
        match:
          prefect.resource.id: hn.story.*
        parameters:
          story_id: "{{ event.payload.story_id }}"
"""

AUTOMATIONS = """\
automations:
  - name: hn failed
    description: A run failed.
    trigger:
      expect: [hn.run.failed]
      within: 60
    tell: inform
    subject: "{{ event.payload.flow }} failed"
    body: A run failed.
endings:
  - name: hn silent
    description: Nothing was heard of it.
    trigger:
      expect: [prefect.flow-run.*]
    end_as: CRASHED
    message: Its process went.
"""


@pytest.fixture
def deployments(tmp_path: Path) -> Told:
    return lambda text: _told(tmp_path, text, check_deployments)


@pytest.fixture
def automations(tmp_path: Path) -> Told:
    return lambda text: _told(tmp_path, text, check_automations)


def _told(folder: Path, text: str, checked: Callable[..., list[check.Problem]]) -> list[str]:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return [f"{one.line}: {one.told}" for one in checked(path, {"HERE": "1"})]


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_the_files_of_the_project_are_as_they_should_be() -> None:
    assert [str(one) for one in check.problems({})] == []


def test_what_is_right_is_let_through(deployments: Told, automations: Told) -> None:
    assert deployments(DEPLOYMENTS) == []
    assert automations(AUTOMATIONS) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("triggers:", "trigger:", "14: 'trigger' is not known here (of deployments.0)"),
        ("limit: 1", "limits: 1", "5: 'limits' is not known here (of deployments.0.concurrency_limit)"),
        ("description: A story.", "", "8: deployments.0.description: Field required"),
        (
            "spotlight.py:spotlight",
            "spotlights.py:spotlight",
            "9: flows/spotlights.py:spotlight cannot be imported: No",
        ),
        ("spotlight.py:spotlight", "spotlight.py:dict", "9: flows/spotlight.py:dict cannot be imported"),
        ("spotlight.py:spotlight", "spotlight.py:Any", "9: flows/spotlight.py:Any is not a flow"),
        (
            "source: sample",
            "sauce: sample",
            "13: flows/spotlight.py:spotlight has no parameter 'sauce'; it has story_id",
        ),
        ("source: sample", "source: [1]", "13: [1] is not a value for 'source'"),
        ('story_id: "{{', 'story: "{{', "20: flows/spotlight.py:spotlight has no parameter 'story'"),
        ('story_id: "{{', 'source: "{{', "19: a run that it starts has no 'story_id', which the flow requires"),
        ("payload.story_id", "payload.id", "20: hn.story.trending has no 'id' in its payload"),
        ("payload.story_id", "payload.story_id or 1", "20: put {{ event.payload.story_id or 1 }} in parentheses"),
        (
            "[hn.story.trending]",
            "[hn.story.trends]",
            "16: no code emits hn.story.trends; the events are hn.items.landed",
        ),
        ("[hn.story.trending]", "[prefect.flow-run.Failed]", "16: prefect.flow-run.Failed is not one of"),
        ("hn.story.*", "hn.day.*", "18: the resource of hn.story.trending begins with 'hn.story.', which"),
        ("prefect.resource.id:", "hn.continue_by:", "18: hn.story.trending never has hn.continue_by=hn.story.*"),
        ("source: sample", 'source: "{{ $NOWHERE }}"', "13: {{ $NOWHERE }} is not set: export NOWHERE"),
        (
            "source: sample",
            'source: "{{ prefect.variables.no }}"',
            "13: {{ prefect.variables.no }}: provision.py does not create",
        ),
        ("A story.", "A story.\n    description: Another.", "11: 'description' is given twice"),
        ("name: test", "name: [", "3: not YAML:"),
        ("name: one", "name: One", "8: deployments.0.name: String should match"),
    ],
)
def test_a_mistake_in_a_deployment_is_reported_with_its_line(deployments: Told, old: str, new: str, told: str) -> None:
    found = deployments(replaced(DEPLOYMENTS, old, new))
    assert any(line.startswith(told) for line in found), found


def test_a_variable_that_is_set_is_no_mistake(deployments: Told) -> None:
    assert deployments(replaced(DEPLOYMENTS, "source: sample", 'source: "{{ $HERE }}"')) == []
    assert deployments(replaced(DEPLOYMENTS, "source: sample", 'source: "{{ prefect.variables.hn_branch }}"')) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("cron: '0 2 * * *'", "22: deployments.0.schedules.0: a cron needs its timezone"),
        ("cron: '0 2 * *'\n        timezone: UTC", "23: deployments.0.schedules.0.cron: Invalid cron"),
        (
            "cron: '0 2 * * *'\n        timezone: Mars/Olympus",
            "24: deployments.0.schedules.0.timezone: Invalid timezone",
        ),
        ("active: true", "22: deployments.0.schedules.0: give either cron or interval"),
        ("interval: 60\n        cron: '0 2 * * *'", "22: deployments.0.schedules.0: give either cron or interval"),
    ],
)
def test_a_schedule_that_never_starts_is_reported(deployments: Told, given: str, told: str) -> None:
    (found,) = deployments(DEPLOYMENTS + f"    schedules:\n      - slug: s\n        {given}\n")
    assert found.startswith(told)


def test_the_parameters_of_prefects_steps_are_checked(deployments: Told) -> None:
    clone = "    pull:\n      - prefect.deployments.steps.git_clone:\n          repository: x\n"
    assert deployments(DEPLOYMENTS + clone) == []
    (wrong,) = deployments(DEPLOYMENTS + clone.replace("repository", "repo"))
    assert wrong == "23: prefect.deployments.steps.git_clone has no parameter 'repo'"
    (absent,) = deployments(DEPLOYMENTS + clone.replace("git_clone", "git_cloned"))
    assert absent.startswith("22: no step is named prefect.deployments.steps.git_cloned")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tell: inform", "tell: everybody", "7: automations.0.tell: Input should be 'page' or 'inform'"),
        ("tell: inform", "tells: inform", "7: 'tells' is not known here"),
        ("[hn.run.failed]", "[hn.run.fails]", "5: no code emits hn.run.fails"),
        ("payload.flow", "payload.flaw", "8: hn.run.failed has no 'flaw' in its payload"),
        ("within: 60", "within: 60\n      posture: Reactively", "7: automations.0.trigger.posture"),
        ("within: 60", "within: 5\n      posture: Proactive", "4: automations.0.trigger: a Proactive trigger waits"),
        ("A run failed.\n    trigger", "A run failed.\n    triggers", "4: 'triggers' is not known here"),
        ("end_as: CRASHED", "end_as: FAILED", "15: endings.0.end_as: Input should be 'CRASHED'"),
        ("[prefect.flow-run.*]", "[hn.run.gone]", "14: no code emits hn.run.gone"),
        ("name: hn silent", "name: hn failed", "1: the file: two automations are named 'hn failed'"),
        ("body: A", "body: '{{ $NOWHERE }} A'\n#", "9: {{ $NOWHERE }} is not set"),
        ("body: A", "body: '{{ flow_run.nam }} A'\n#", "9: flow_run has no 'nam'; it has "),
        (
            "body: A",
            "body: '{{ run.name }} A'\n#",
            "9: 'run' is not a name that templates have; they have automation, ",
        ),
        ("body: A", "body: '{{ event.flow A'\n#", "9: not a template: "),
        ("event.payload.flow", "event.payloads.flow", "8: event has no 'payloads'; it has "),
        ("tell: inform", "of_alerts: true\n    tell: inform", "2: automations.0: `of_alerts` is only for triggers on"),
        ("[hn.run.failed]", "[prefect.automation.triggered]", "2: automations.0: a trigger on automations would"),
    ],
)
def test_a_mistake_in_an_automation_is_reported_with_its_line(automations: Told, old: str, new: str, told: str) -> None:
    found = automations(replaced(AUTOMATIONS, old, new))
    assert any(line.startswith(told) for line in found), found


def test_an_event_that_no_code_creates_is_reported_as_never_emitted(
    automations: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_names, "_announced", lambda: frozenset({"DayEnriched"}))
    assert automations(AUTOMATIONS) == ["5: no code emits hn.run.failed: no code creates a RunFailed"]


def test_every_problem_ends_the_check_with_its_file_and_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ROOT / "prefect.yaml"
    monkeypatch.setattr(check, "problems", lambda _: [check.Problem(path, 9, "b"), check.Problem(path, 3, "a")])
    assert check.main() == 2
    assert capsys.readouterr().err == "prefect.yaml:3: a\nprefect.yaml:9: b\n"


def test_the_page_of_events_is_written_from_the_events() -> None:
    from deployments import command_line
    from deployments.reference import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(), "python deployments/reference.py writes it"
    assert command_line.PAGE.read_text(encoding="utf-8") == command_line.page(), (
        "python deployments/reference.py writes it"
    )


def test_a_number_that_the_flow_rejects_is_reported(deployments: Told) -> None:
    text = DEPLOYMENTS.partition("    triggers:")[0].replace(
        "flows/spotlight.py:spotlight", "flows/backfill.py:backfill"
    )
    assert deployments(text.replace("source: sample", "concurrency: 4")) == []
    (told,) = deployments(text.replace("source: sample", "concurrency: 0"))
    assert told == "13: 0 is not a value for 'concurrency' of flows/backfill.py:backfill"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("stages: [transfrom+]", "13: 'transfrom' is not a stage: give one of ingest, articles"),
        ("stages: [ingest, 'enrich:entitys']", "13: 'enrich:entitys' is not a stage"),
    ],
)
def test_an_unknown_stage_is_reported(deployments: Told, given: str, told: str) -> None:
    text = DEPLOYMENTS.partition("    triggers:")[0].replace(
        "flows/spotlight.py:spotlight", "flows/main.py:hacker_news"
    )
    assert deployments(text.replace("source: sample", "stages: [transform+, 'enrich:entities']")) == []
    (found,) = deployments(text.replace("source: sample", given))
    assert found.startswith(told)


def test_an_undeclared_deployment_is_reported(deployments: Told) -> None:
    text = DEPLOYMENTS.partition("    triggers:")[0].replace(
        "flows/spotlight.py:spotlight", "flows/backfill.py:backfill"
    )
    assert deployments(text.replace("source: sample", "deployment: backfill/one")) == []
    (told,) = deployments(text.replace("source: sample", "deployment: hacker-news/dya"))
    assert told == "13: 'hacker-news/dya' is not a deployment of this file; it has backfill/one"
