from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.config.load import Loaded, load
from interlock.config.source import Source, read_tree
from interlock.config.yaml import MAX_FILE_BYTES
from interlock.errors import ConfigError
from tests.unit.config.project import base_files, load_files, surroundings

ROOT = Path(__file__).parents[3]
BASE = base_files()
AGENT, TOOL = "agents.d/support.yaml", "tools.d/orders.yaml"


def changed(path: str, old: str, new: str) -> dict[str, bytes]:
    text = BASE[path].decode()
    assert old in text
    return {**BASE, path: text.replace(old, new).encode()}


def errors(loaded: Loaded) -> list[str]:
    return [f"{found.location} {found.code}" for found in loaded.found]


def test_a_configuration_becomes_a_snapshot() -> None:
    snapshot = load_files(BASE).require()
    assert list(snapshot.agents) == ["support"]
    assert list(snapshot.tools) == ["get_order", "call_a_person"]
    assert snapshot.prompts["support"].system == "You work for {{ company }}."
    assert snapshot.prompts["support"].planner is None
    assert snapshot.settings.models["haiku"].model == "claude-haiku-5-5"
    assert snapshot.digest == Source(BASE).digest


def test_what_is_wrong_can_be_raised() -> None:
    loaded = load_files(changed(AGENT, "plan: haiku", "plan: haikuu"))
    with pytest.raises(ConfigError, match=r"has 1 error$") as caught:
        loaded.require()
    assert caught.value.diagnostics == loaded.found


def test_findings_of_all_files_come_in_order() -> None:
    files = {
        "tools.d/zz.yaml": "name: x\n",
        "tools.d/aa.yaml": "name: y\n",
        "interlock.yaml": "",
        "agents.d/b.yaml": "a: 1\na: 2\n",
        "agents.d/a.yaml": "[",
    }
    loaded = load_files(files)
    places = [found.location for found in loaded.found]
    assert places == sorted(places)
    assert {place.path for place in places} == files.keys()


def test_prompts_may_stand_in_files_of_their_own() -> None:
    files = changed(AGENT, "'You work for {{ company }}.'", "{file: prompts/system.md}")
    files["agents.d/prompts/system.md"] = "Ünser Shop: {{ company }}.".encode()
    assert load_files(files).require().prompts["support"].system == "Ünser Shop: {{ company }}."


@pytest.mark.parametrize(
    "path",
    [
        "prompts/system.md",
        "./prompts/system.md",
        "x/../prompts/system.md",
        "../agents.d/prompts/system.md",
    ],
)
def test_a_prompt_file_is_found_from_the_agents_own_file(path: str) -> None:
    files = changed(AGENT, "'You work for {{ company }}.'", f"{{file: {path}}}")
    files["agents.d/prompts/system.md"] = b"Hello."
    assert load_files(files).found == ()


@pytest.mark.parametrize("path", ["/etc/passwd", "../../secret", "prompts", "system.md "])
def test_nothing_but_the_projects_files_can_be_a_prompt(path: str) -> None:
    files = changed(AGENT, "'You work for {{ company }}.'", f"{{file: {path!r}}}")
    files["agents.d/prompts/system.md"] = b"Hello."
    assert errors(load_files(files)) == [f"{AGENT}:5:26 ILK-C004"]


def test_a_prompt_file_that_is_too_large_is_not_cut() -> None:
    files = changed(AGENT, "'You work for {{ company }}.'", "{file: system.md}")
    files["agents.d/system.md"] = b"x" * (MAX_FILE_BYTES + 1)
    assert errors(load_files(files)) == [f"{AGENT}:5:26 ILK-Y006"]


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        # A broken tool is not also an unknown one, and a broken agent leaves no tool unused.
        (TOOL, "category: lookup", "category: lokup", [f"{TOOL}:2:11 ILK-C003"]),
        (TOOL, "name: get_order", "name: [", [f"{TOOL}:3:12 ILK-Y001"]),
        (AGENT, "name: support", "name: 5", [f"{AGENT}:1:7 ILK-C003"]),
        # Without settings, nothing is known of models, variables and environment.
        ("interlock.yaml", "variables:", "variable:", ["interlock.yaml:6:1 ILK-C002"]),
        ("interlock.yaml", "providers:", "{", ["interlock.yaml:3:1 ILK-Y001"]),
        # What YAML could not read is not also of the wrong type.
        (AGENT, "name: support", "name: !x support", [f"{AGENT}:1:7 ILK-Y005"]),
        (AGENT, "[get_order, call_a_person]", "off", [f"{AGENT}:4:8 ILK-Y004"]),
    ],
)
def test_one_fault_is_one_finding(path: str, old: str, new: str, expected: list[str]) -> None:
    assert errors(load_files(changed(path, old, new))) == expected


def test_an_unknown_tool_is_reported_while_an_agent_or_the_settings_are_broken() -> None:
    files = changed(AGENT, "[get_order, call_a_person]", "[get_order, call_a_person, fly]")
    files["agents.d/broken.yaml"] = b"name: ["
    files["interlock.yaml"] += b"serverr: {}\n"
    assert f"{AGENT}:4:35 ILK-C006" in errors(load_files(files))


def test_a_broken_spare_agent_hides_nothing_of_the_others() -> None:
    files = changed(AGENT, "plan: haiku", "plan: haikuu")
    files["agents.d/broken.yaml"] = b"name: ["
    assert f"{AGENT}:3:16 ILK-C006" in errors(load_files(files))


def test_the_first_of_two_tools_of_a_name_stands() -> None:
    files = {**BASE, "tools.d/zz.yaml": BASE[TOOL].replace(b"Returns one", b"Returns another")}
    loaded = load_files(files)
    assert errors(loaded) == ["tools.d/zz.yaml:1:7 ILK-C005"]
    assert "tools.d/orders.yaml:1:7" in loaded.found[0].message
    assert str(loaded.places["get_order"]) == "tools.d/orders.yaml:1:1"


def test_several_documents_may_stand_in_one_file() -> None:
    both = BASE[TOOL] + b"---\n" + BASE["tools.d/people.yaml"] + b"---\n"
    files = {path: data for path, data in BASE.items() if not path.startswith("tools.d/")}
    assert list(load_files({**files, "tools.d/all.yml": both}).require().tools) == [
        "get_order",
        "call_a_person",
    ]


@pytest.mark.parametrize(
    "path", ["agents.d/notes.txt", "plugins/x.py", "tools.d/.hidden", "a.yaml"]
)
def test_other_files_are_no_documents(path: str) -> None:
    assert load_files({**BASE, path: b"[not yaml"}).found == ()


@pytest.mark.parametrize("environment", [{}, {"SHOP_URL": "http://other"}], ids=["defaults", "set"])
def test_the_environment_comes_from_outside_or_from_the_defaults(
    environment: dict[str, str],
) -> None:
    assert load(Source(BASE), surroundings(environment)).found == ()


def test_a_variable_that_is_set_needs_no_default() -> None:
    files = changed("interlock.yaml", ", default: none", "")
    assert errors(load_files(files)) == ["interlock.yaml:2:29 ILK-C013"]
    assert load(Source(files), surroundings({"API_KEY": "x"})).found == ()


@pytest.mark.parametrize(
    ("path", "old", "new", "place"),
    [
        (AGENT, "'You work for {{ company }}.'", "'{{ " + "(" * 2000 + " }}'", "5:19 ILK-C007"),
        (AGENT, "'You work for {{ company }}.'", "'{{ " + "9" * 5000 + " }}'", "5:19 ILK-C007"),
        (
            AGENT,
            "'You work for {{ company }}.'",
            "'" + "{% for a in company %}" * 30 + "{% endfor %}" * 30 + "'",
            "5:19 ILK-C007",
        ),
        (TOOL, "{type: string}", "{pattern: 'a{99999999999999999999}'}", "6:3 ILK-C009"),
        (TOOL, "{type: string}", "{pattern: '" + "(" * 5000 + ")" * 5000 + "'}", "6:3 ILK-C009"),
        (TOOL, "{type: string}", "{$ref: '#/nowhere'}", "7:33 ILK-C009"),
        (TOOL, "bind:", "result: {select: '" + "(" * 5000 + "'}\nbind:", "9:18 ILK-C010"),
        (TOOL, "bind:", "timeout: 99999999999999999999d\nbind:", "9:10 ILK-C003"),
    ],
)
def test_a_text_that_breaks_its_own_parser_is_only_a_finding(
    path: str, old: str, new: str, place: str
) -> None:
    assert errors(load_files(changed(path, old, new))) == [f"{path}:{place}"]


@pytest.mark.parametrize("pattern", ["a{99999999999999999999}", "(" * 5000 + ")" * 5000, "(?P<a"])
def test_a_pattern_that_breaks_the_parser_is_only_a_finding(pattern: str) -> None:
    path = f"""
fastPaths:
  - name: status
    match: {{patterns: ['{pattern}']}}
    call: {{tool: get_order, input: {{order_id: '{{{{ match.order_id }}}}'}}}}
"""
    loaded = load_files({**BASE, AGENT: BASE[AGENT] + path.encode()})
    assert errors(loaded) == [f"{AGENT}:9:24 ILK-C010"]


texts = st.text(alphabet="abcdefgh: -[]{}'\"\n|#&*!0123456789._", max_size=30)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(BASE)), st.data())
def test_whatever_is_done_to_a_file_the_rest_is_checked_and_nothing_is_raised(
    path: str, data: st.DataObject
) -> None:
    content = BASE[path]
    start = data.draw(st.integers(min_value=0, max_value=len(content)))
    end = data.draw(st.integers(min_value=start, max_value=min(len(content), start + 40)))
    inserted = data.draw(texts).encode()
    loaded = load_files({**BASE, path: content[:start] + inserted + content[end:]})
    has_errors = any(found.severity == "error" for found in loaded.found)
    assert (loaded.snapshot is None) == has_errors
    places = [found.location for found in loaded.found]
    assert places == sorted(places)


@given(
    st.dictionaries(
        st.sampled_from(["interlock.yaml", AGENT, TOOL, "agents.d/x.yml", "tools.d/y.yaml"]),
        st.binary(max_size=60),
    )
)
def test_any_files_load_or_are_explained(files: dict[str, bytes]) -> None:
    loaded = load_files(files)
    assert loaded.snapshot is None
    assert loaded.found


def test_every_file_of_this_repository_loads_without_a_finding() -> None:
    loaded = load(read_tree(ROOT), surroundings())
    assert [str(found) for found in loaded.found] == []
    assert len(loaded.require().agents) >= 4
