"""What every section gets: the checkpoints, the table and the time that is left."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from benchmarks.gpu_check.models import Checkpoints
from benchmarks.gpu_check.report import Budget, Report, first_line
from inference.loading.device import DoesNotFit


class NotRun(Exception):
    """A part cannot run here; the message gives the reason."""


@dataclass
class Check:
    checkpoints: Checkpoints
    report: Report
    budget: Budget
    gpu_failure: str = field(default="", init=False)
    """The error after which nothing more can run on the GPU."""

    @property
    def device(self) -> str:
        return self.checkpoints.device

    @property
    def small(self) -> bool:
        return self.checkpoints.small

    @property
    def rows(self) -> int:
        """Streams in the batches that are compared with the package."""
        return 2 if self.small else 4

    @property
    def is_cuda(self) -> bool:
        return self.device.startswith("cuda")

    def part(self, name: str, run: Callable[[], None]) -> bool:
        """Run a part of a section, which adds its rows itself; return whether it ran to its end. If
        time, memory or support are missing, the table says so; any other error is a failure."""
        try:
            if self.gpu_failure:
                raise NotRun(f"the GPU failed: {self.gpu_failure}")
            if not self.budget.has_time:
                raise NotRun("no time is left for this section")
            run()
        except (NotRun, DoesNotFit) as error:
            self.report.not_run(name, first_line(error))
        except torch.OutOfMemoryError as error:
            self.report.not_run(name, f"out of memory: {first_line(error)}")
        except Exception as error:
            self.report.check(name, False, f"{type(error).__name__}: {first_line(error)}")
            if "CUDA error" in str(error) and "out of memory" not in str(error):
                self.gpu_failure = first_line(error)
        else:
            return True
        finally:
            self.free()
        return False

    def require_cuda(self) -> None:
        if not self.is_cuda:
            raise NotRun("there are CUDA graphs on a GPU only")

    def free(self) -> None:
        """Free the memory of what a part no longer uses; its modules and states refer to each other."""
        if self.is_cuda and not self.gpu_failure:
            gc.collect()
            torch.cuda.empty_cache()
