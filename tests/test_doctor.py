"""The doctor finds what is missing, names the cure, and is not stopped by what is broken."""

import sys
from pathlib import Path

import pytest

from realtime_nst.cli.main import main
from realtime_nst.engines.backend import installed
from realtime_nst.errors import SinkError, SourceError
from realtime_nst.inputs.devices import Device
from realtime_nst.live import doctor
from realtime_nst.live.doctor import Finding, examine

ROOT = Path(__file__).parents[1]


def named(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_everything_is_examined(weights: Path) -> None:
    found = named(examine(weights))
    assert list(found) == [
        *("Python", "backend", "devices", "GPU", "styles", "OpenCV", "cameras", "display", "encoders", "virtual camera")
    ]
    assert found["Python"].state == found["backend"].state == found["encoders"].state == "ok"
    assert found["devices"].words.startswith("CPU '")
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
    monkeypatch.setattr(doctor, "OLDEST", (4, 11))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(doctor, "_said", lambda *command, **options: "")
    found = named(examine(weights, "openvino", "float16"))
    assert found["OpenCV"].state == "bad" and "apt install libgl1" in found["OpenCV"].words
    assert found["backend"].state == "bad" and "--precision auto" in found["backend"].words
    assert found["cameras"].state == "bad" and "usermod -aG video" in found["cameras"].cure
    assert found["Python"].state == "bad" and "Python 4.11 or newer" in found["Python"].cure
    assert found["display"].state == "no" and "--no-window" in found["display"].cure
    assert found["encoders"].state == "bad" and "imageio-ffmpeg" in found["encoders"].cure
    assert found["virtual camera"].state == "no" and "pip install" in found["virtual camera"].cure
    assert named(examine(tmp_path / "gone"))["styles"].state == "bad"


def test_the_oldest_python_is_the_same_everywhere() -> None:
    text = ".".join(map(str, doctor.OLDEST))
    assert f"python_requires = >={text}\n" in (ROOT / "setup.cfg").read_text("utf-8")
    assert f"Python {text} or newer" in (ROOT / "README.md").read_text("utf-8")


def test_whatever_a_check_meets_the_others_go_on(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprised() -> object:
        raise RuntimeError("no such bus")

    monkeypatch.setattr(doctor, "list_devices", surprised)
    found = named(examine(weights))
    assert found["cameras"].state == "bad" and "RuntimeError: no such bus" in found["cameras"].words
    assert found["encoders"].state == "ok" and len(found) == 10


@pytest.mark.skipif(sys.platform != "linux", reason="only X11 is asked")
def test_a_display_that_does_not_answer_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":7077")
    finding = doctor.check_display()
    assert finding.state == "bad" and "nothing answers at DISPLAY=:7077" in finding.words and "--no-window" in finding.cure
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    finding = doctor.check_display()
    assert finding.state == "no" and "Xwayland" in finding.words


@pytest.mark.parametrize(
    ("backend", "packages", "seen", "state", "words"),
    [
        ("auto", ("tensorflow",), "1", "ok", "Fine GPU, 555; tensorflow sees it"),
        ("auto", ("tensorflow",), "hello\n0", "bad", "tensorflow does not see it"),
        ("auto", ("tensorflow",), "", "bad", "tensorflow does not see it"),
        ("auto", (), "1", "bad", "tensorflow is not installed"),
        ("jax", ("jax",), "0", "bad", "jax does not see it"),
        ("openvino", ("openvino",), "1", "no", "OpenVINO paints on the processor"),
    ],
)
def test_a_gpu_counts_when_the_framework_sees_it(
    monkeypatch: pytest.MonkeyPatch, backend: str, packages: tuple[str, ...], seen: str, state: str, words: str
) -> None:
    def said(*command: str, **options: object) -> str:
        return "Fine GPU, 555" if command[0] == "nvidia-smi" else seen

    monkeypatch.setattr(doctor, "has_nvidia_gpu", lambda: True)
    monkeypatch.setattr(doctor, "installed", lambda name: name in packages)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: name)
    monkeypatch.setattr(doctor, "_said", said)
    finding = doctor.check_gpu(backend)
    assert finding.state == state and words in finding.words
    assert finding.state != "bad" or finding.cure.startswith(f"pip install '{'jax[' if backend == 'jax' else 'tensorflow['}")


@pytest.mark.skipif(not installed("jax"), reason="JAX is not installed")
def test_the_question_for_gpus_is_one_that_the_framework_answers() -> None:
    assert doctor._said(sys.executable, "-c", doctor.GPUS_SEEN["jax"], timeout=120).isdigit()


def test_encoders_for_hardware_that_is_not_there_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_said", lambda *command, **options: " V libx264 x\n V h264_nvenc x\n V h264_qsv x\n")
    monkeypatch.setattr(doctor, "encoder_works", lambda name: name == "h264_qsv")
    assert doctor.check_encoders().words.startswith("libx264, h264_qsv in ")


def test_an_encoder_works_when_it_encodes() -> None:
    nowhere = [name for name in ("h264_videotoolbox", "h264_amf") if sys.platform == "linux" and not doctor.encoder_works(name)]
    assert nowhere == (["h264_videotoolbox", "h264_amf"] if sys.platform == "linux" else [])


def test_the_command_prints_each_line_and_its_exit_code_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [Finding("Python", "ok", "3.12"), Finding("display", "no", "none", "Log in.")]
    monkeypatch.setattr("realtime_nst.cli.checks.examine", lambda *options: findings)
    assert main(["doctor"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["ok  Python   3.12", "no  display  none", "             -> Log in."]
    assert said.err == "Ready, but for what is marked `no`.\n"
    findings.append(Finding("encoders", "bad", "none", "Install."))
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err == "1 to mend.\n"
