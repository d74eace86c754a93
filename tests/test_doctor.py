"""The doctor finds what is missing, names the cure, and is not stopped by what is broken."""

from pathlib import Path

import pytest

from realtime_nst.cli import main
from realtime_nst.errors import SinkError, SourceError
from realtime_nst.live import doctor
from realtime_nst.live.devices import Device
from realtime_nst.live.doctor import Finding, examine


def named(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_everything_is_examined(weights: Path) -> None:
    found = named(examine(weights))
    assert list(found) == [*("Python", "backend", "GPU", "styles", "OpenCV", "cameras", "display", "encoders", "virtual camera")]
    assert found["Python"].state == found["backend"].state == found["encoders"].state == "ok"
    assert "libx264" in found["encoders"].words and "wave" in found["styles"].words


def test_each_failure_has_its_cure(weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken() -> object:
        raise SourceError("OpenCV did not load. `apt install libgl1`.")

    def missing() -> object:
        raise SinkError("pip install pyvirtualcam")

    node = tmp_path / "video0"
    monkeypatch.setattr(doctor, "load_opencv", broken)
    monkeypatch.setattr(doctor, "load_pyvirtualcam", missing)
    monkeypatch.setattr(doctor, "list_devices", lambda: [Device(0, "Fine Camera", node)])
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    monkeypatch.setattr(doctor, "NEWEST", (3, 9))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(doctor, "_said", lambda *command: "")
    found = named(examine(weights, "openvino", "float16"))
    assert found["OpenCV"].state == "bad" and "apt install libgl1" in found["OpenCV"].words
    assert found["backend"].state == "bad" and "--precision auto" in found["backend"].words
    assert found["cameras"].state == "bad" and "usermod -aG video" in found["cameras"].cure
    assert found["Python"].state == "bad" and "3.11" in found["Python"].cure
    assert found["display"].state == "no" and "--no-window" in found["display"].cure
    assert found["encoders"].state == "bad" and "imageio-ffmpeg" in found["encoders"].cure
    assert found["virtual camera"].state == "no" and "pip install" in found["virtual camera"].cure
    assert named(examine(tmp_path / "gone"))["styles"].state == "bad"


def test_the_command_prints_each_line_and_its_exit_code_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [Finding("Python", "ok", "3.12"), Finding("display", "no", "none", "Log in.")]
    monkeypatch.setattr("realtime_nst.live.checks.examine", lambda *options: findings)
    assert main(["doctor"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["ok  Python   3.12", "no  display  none", "             -> Log in."]
    assert said.err == "Ready.\n"
    findings.append(Finding("encoders", "bad", "none", "Install."))
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err == "1 to mend.\n"
