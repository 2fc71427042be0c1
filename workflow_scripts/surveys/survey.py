"""A survey as a plug-in: one file in surveys/plugins with one SURVEY; all else follows from it.

The name of the file is the name in the configuration, in the DAG, in the schema and in the manual. A survey has a
catalogue (objects with positions, classes, periods), light curves, or both.
"""

from dataclasses import dataclass, field, replace

from workflow_scripts.archives.hosts import Manners
from workflow_scripts.surveys.catalogue import Catalogue
from workflow_scripts.surveys.curves import LightCurves


@dataclass(frozen=True)
class Survey:
    """What a survey is (title, with its data release), the paper to cite, what it gives, and how its host is asked."""

    title: str
    reference: str
    catalogue: Catalogue | None = None
    light_curves: LightCurves | None = None
    manners: Manners = field(default_factory=Manners)

    def __post_init__(self) -> None:
        """Refuse a survey that gives nothing."""
        if self.catalogue is None and self.light_curves is None:
            raise ValueError(f"survey {self.title}: neither a catalogue nor light curves")

    def paced(self, pace: float) -> "Survey":
        """Give the same survey, its host asked with all pauses times a factor."""
        return replace(self, manners=self.manners.paced(pace))
