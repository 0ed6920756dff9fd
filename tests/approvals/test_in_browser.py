"""The pages in a real browser: by keyboard alone, without JavaScript, on a phone, and for those who hear the page.

With `ASL_SCREENSHOT=docs/approval-page.png` in the environment they draw the documentation's picture anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from asl_engine.approvals.local import LocalApprovals
from asl_engine.approvals.notice import Notice
from tests.approvals.chromium import PHONE, chromium, next_page, resize
from tests.approvals.office import Office
from tests.server.running import running, until_ended
from tests.server.test_approval_routes import MACHINE, Local

PAYLOAD = {
    "taskToken.$": "$$.Task.Token",
    "title": "Deploy churn model 7 to production?",
    "message": "Trained on October's data. The bias audit is attached to the ticket.",
    "details": [
        {"label": "Accuracy", "value": 0.947, "previous": 0.941},
        {"label": "Latency, 99th percentile", "value": "38 ms", "previous": "41 ms"},
        {"label": "Bias gap", "value": 0.012, "previous": 0.013},
    ],
    "approvers": [{"name": "Ada Example", "email": "ada@example.com"}],
    "deadline": "2100-01-01T18:00:00Z",
    "form": [
        {"name": "share", "label": "Share of traffic to begin with", "type": "number", "requiredFor": ["approve"]},
        {"name": "comment", "label": "Comment", "type": "longText", "requiredFor": ["reject"]},
    ],
}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def plain_window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile"), scripts=False) as opened:
        yield opened


@pytest.fixture
def asked() -> Iterator[tuple[Local, str, str]]:
    """A server that asked, the link of the page, and the execution that waits."""
    told: list[Notice] = []
    with running(approvals=LocalApprovals(told.append)) as server:
        local = Local(server, told)
        machine: dict[str, Any] = {**MACHINE, "States": {"Ask": {**MACHINE["States"]["Ask"]}}}  # type: ignore[index]
        machine["States"]["Ask"]["Parameters"] = {"FunctionName": "notifier", "Payload": PAYLOAD}
        arn = local.start(machine)
        links = local.asked().links
        assert links is not None
        yield local, links.page, arn


def heading(window: Chrome) -> str:
    return window.find_element(By.TAG_NAME, "h1").text


def focus(window: Chrome) -> str:
    """The label or text of what has the focus."""
    element = window.switch_to.active_element
    return str(element.accessible_name)


def console(window: Chrome) -> list[object]:
    """What the browser complained of since it was last asked."""
    complaints: list[object] = window.execute("getLog", {"type": "browser"})["value"]
    return complaints


def keys(window: Chrome, *pressed: str) -> None:
    for key in pressed:
        window.switch_to.active_element.send_keys(key)


def test_a_decision_by_keyboard_alone(window: Chrome, asked: tuple[Local, str, str]) -> None:
    local, page, arn = asked
    window.get(page)
    reached = []
    for _ in range(4):
        keys(window, Keys.TAB)
        reached.append(focus(window))
    assert [name.partition(" (")[0] for name in reached] == [
        "Share of traffic to begin with",
        "Comment",
        "Approve",
        "Reject",
    ]
    outline = window.switch_to.active_element.value_of_css_property("outline-style")
    assert outline == "solid"

    window.find_element(By.ID, "field-share").send_keys("0.25")
    with next_page(window):
        window.find_element(By.CSS_SELECTOR, "button[value=approve]").send_keys(Keys.ENTER)

    assert heading(window) == "Decided: Approve"
    assert until_ended(local.client, arn)["status"] == "SUCCEEDED"


def test_a_missing_field_is_told_where_it_is_and_what_was_written_is_kept(
    window: Chrome, asked: tuple[Local, str, str]
) -> None:
    _, page, _ = asked
    window.get(page)
    window.find_element(By.ID, "field-comment").send_keys("looks fine")
    with next_page(window):
        window.find_element(By.CSS_SELECTOR, "button[value=approve]").click()

    assert window.title.startswith("Error: ")
    alert = window.find_element(By.CSS_SELECTOR, "[role=alert]")
    assert "Share of traffic to begin with must be filled in" in alert.text
    field = window.find_element(By.ID, "field-share")
    assert field.get_attribute("aria-invalid") == "true"
    described = window.find_element(By.ID, str(field.get_attribute("aria-describedby")))
    assert described.text == "must be filled in"
    assert window.find_element(By.ID, "field-comment").get_attribute("value") == "looks fine"
    alert.find_element(By.TAG_NAME, "a").click()
    assert focus(window).startswith("Share of traffic")


def test_it_works_without_javascript(plain_window: Chrome, asked: tuple[Local, str, str]) -> None:
    local, page, arn = asked
    plain_window.get("data:text/html,<p id=said></p><script>said.textContent = 'scripts run'</script>")
    assert "scripts run" not in plain_window.page_source.partition("<script>")[0]

    plain_window.get(page)
    plain_window.find_element(By.ID, "field-comment").send_keys("too slow")
    with next_page(plain_window):
        plain_window.find_element(By.CSS_SELECTOR, "button[value=reject]").click()
    assert heading(plain_window) == "Decided: Reject"
    assert until_ended(local.client, arn)["error"] == "ApprovalRejected"


def test_it_fits_a_phone(window: Chrome, asked: tuple[Local, str, str]) -> None:
    _, page, _ = asked
    resize(window, PHONE)
    window.get(page)

    width = window.execute_script("return document.documentElement.scrollWidth")
    assert width <= PHONE[0]
    for button in window.find_elements(By.TAG_NAME, "button"):
        assert button.size["height"] >= 44  # a finger's width: WCAG 2.2, 2.5.5
    assert float(window.find_element(By.TAG_NAME, "p").value_of_css_property("font-size").removesuffix("px")) >= 16
    screenshot = os.environ.get("ASL_SCREENSHOT")
    if screenshot:
        resize(window, (480, 900))
        window.get(page)
        window.save_screenshot(str(Path(screenshot)))
    window.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_narrowest_phone_breaks_no_number(window: Chrome, tmp_path: Path) -> None:
    """320 pixels are what WCAG 2.2, 1.4.10 has pages fit in."""
    office = Office()
    path = "s3://bucket/" + "very-long-name/" * 5
    rows = [("Accuracy", 0.94123456, 0.93876543), ("Rows", 1234567890, 1204567890), (path, path, path)]
    office.ask(details=[{"label": label, "value": now, "previous": was} for label, now, was in rows])
    shown = tmp_path / "page.html"
    shown.write_text(office.visit(office.link()).body, encoding="utf-8")
    resize(window, (320, 800))
    window.get(shown.as_uri())

    assert window.execute_script("return document.documentElement.scrollWidth") <= 320
    heights = window.execute_script("return [...document.querySelectorAll('td')].map(cell => cell.offsetHeight)")
    assert max(heights[:4]) < 50 < heights[4]
    window.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_everything_has_a_name_a_language_and_enough_contrast(window: Chrome, asked: tuple[Local, str, str]) -> None:
    _, page, _ = asked
    for scheme in ("light", "dark"):
        window.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        window.get(page)
        assert window.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
        assert len(window.find_elements(By.TAG_NAME, "h1")) == 1
        for control in window.find_elements(By.CSS_SELECTOR, "input:not([type=hidden]), textarea, select, button"):
            assert control.accessible_name
        for text in window.find_elements(By.CSS_SELECTOR, "h1, p, th, td, label, button"):
            assert contrast(window, text) >= 4.5, f"{scheme}: {text.text}"  # WCAG 2.2, 1.4.3
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_browser_keeps_everything_else_out(window: Chrome, asked: tuple[Local, str, str]) -> None:
    """The policy lets our own style in, and no script, not even one that got into the page."""
    _, page, _ = asked
    console(window)
    window.get(page)
    assert console(window) == []
    ran = window.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s);"
        "return window.ran === true"
    )
    assert ran is False


def test_another_sites_form_decides_nothing(window: Chrome, asked: tuple[Local, str, str], tmp_path: Path) -> None:
    """A page elsewhere that knows the link, but no nonce, posts to it in the approver's own browser."""
    local, page, arn = asked
    attack = tmp_path / "attack.html"
    attack.write_text(
        f'<form method="post" action="{page}"><input name="choice" value="approve"><input name="nonce" value="x">'
        "<button>Win a prize</button></form>",
        encoding="utf-8",
    )
    window.get(attack.as_uri())
    with next_page(window):
        window.find_element(By.TAG_NAME, "button").click()

    assert heading(window) == "This answer does not count"
    assert local.client.describe_execution(executionArn=arn)["status"] == "RUNNING"


def contrast(window: Chrome, element: object) -> float:
    """The contrast of a text with what is behind it."""
    found: float = window.execute_script(_CONTRAST, element)
    return found


_CONTRAST = """
const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
let behind = arguments[0];
while (rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
const a = light(rgb(getComputedStyle(arguments[0]).color));
const b = light(rgb(getComputedStyle(behind).backgroundColor));
return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
"""
