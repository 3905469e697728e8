"""The batch file that `run --slurm-script` prints."""

from __future__ import annotations

import shlex
import subprocess

from click.testing import CliRunner

from benchmark.cli import main
from benchmark.machine.environment import Environment
from benchmark.scheduling.executors.local import LocalExecutor
from benchmark.scheduling.sharing import Share
from benchmark.scheduling.slots import Folders, Limits


def script(tmp_path, *words):
    given = ["--suite", "phantom", "--results", str(tmp_path / "my results"), *words]
    result = CliRunner().invoke(main, ["run", *given])
    assert result.exit_code == 0, result.output
    return result.output


def command(text):
    return shlex.split(text[text.index("\nexec ") :].replace("\\\n", " "))[1:]


def test_its_tasks_run_the_same_command_without_waiting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    text = script(tmp_path, "--filter", "model=cnn|mlp", "--models-dir", "mine", "--profile",
                  "--slurm-script", "4")  # fmt: skip
    assert "#SBATCH --array=1-4\n" in text
    words = command(text)
    assert words[1] == "run"
    assert words[-1] == "--no-wait"
    assert words[words.index("--filter") + 1] == "model=cnn|mlp"
    assert words[words.index("--models-dir") + 1] == str(tmp_path / "mine"), "wherever it begins"
    assert words[words.index("--results") + 1] == str(tmp_path / "my results")
    assert words[words.index("--data-dir") + 1].startswith("/")
    assert "--profile" in words
    assert not {"--slurm-script", "--jobs", "--wait"} & set(words)


def test_it_is_a_file_that_a_shell_reads(tmp_path):
    text = script(tmp_path, "--slurm-script")
    assert "#SBATCH --array=1-8\n" in text
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0
    logs = tmp_path / "my results" / "logs"
    assert logs.is_dir(), "Slurm makes no folder for its output"
    (line,) = [line for line in text.splitlines() if "--output" in line]
    assert shlex.split(line.removeprefix("#SBATCH")) == [f"--output={logs}/slurm-%A_%a.out"], (
        "one word, blank or not"
    )


def test_a_gpu_is_asked_for_where_there_is_one_to_compute_with(tmp_path, monkeypatch):
    assert "\n#SBATCH --gpus-per-task=1\n" in script(tmp_path, "--device", "gpu", "--slurm-script")
    assert "\n#SBATCH --gpus" not in script(tmp_path, "--slurm-script")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "\nexport KERAS_BACKEND=jax\n" in script(tmp_path, "--slurm-script")


def test_tasks_have_logs_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    parts = [Share(Environment("tensorflow", "cpu", 1))] * 2
    folders = Folders(tmp_path, tmp_path, tmp_path)
    logs = [slot._log.name for slot in LocalExecutor(folders, Limits(), parts).slots()]
    assert logs == ["worker-4711-1.log", "worker-4711-2.log"]


def test_folders_of_the_environment_are_those_of_its_tasks(tmp_path, monkeypatch):
    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setenv("CXR_BENCH_MODELS", str(models))
    monkeypatch.setenv("CXR_BENCH_WEIGHTS", str(tmp_path / "weights"))
    text = script(tmp_path, "--slurm-script")
    assert command(text)[command(text).index("--models-dir") + 1] == str(models)
    assert f"export CXR_BENCH_WEIGHTS={tmp_path}/weights" in text
    told = CliRunner().invoke(main, ["run", "--suite", "phantom", "--slurm-script", "--dry-run"])
    assert (told.exit_code, "#SBATCH" in told.output) == (2, False)


def test_what_there_is_not_is_told_before_a_task_waits_for_it(tmp_path):
    for words, said in (
        (["--suite", "phantm"], "Did you mean 'phantom'"),
        (["--suite", "phantom", "--filter", "size=46"], "Did you mean '64'"),
        (["--suite", "phantom", "--filter", "sise=64"], "Did you mean 'size'"),
        (["--suite", "phantom", "--dataset", "padchets"], "'padchets'"),
        (["--suite", "phantom", "--shard", "9/4"], "is no part"),
    ):
        results = tmp_path / "results"
        words = ["run", *words, "--results", str(results), "--slurm-script"]
        told = CliRunner().invoke(main, words)
        assert (told.exit_code, "#SBATCH" in told.output, results.exists()) == (2, False, False)
        assert said in told.output.replace("\n", " ")
