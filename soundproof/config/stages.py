"""What shapes each stage: the plain settings a rule passes on as parameters, and the code its job loads by name.

A rule gets exactly the settings it uses, so that a change reruns what it touches and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from soundproof.attribution.registry import EXPLAINERS, INPUT_MAP, OWN_MAP
from soundproof.backbones.registry import BackboneSettings
from soundproof.config.model import Study
from soundproof.core.choice import Chosen
from soundproof.core.registry import Parameters
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.embedding.settings import ContextMemorySettings
from soundproof.detectors.registry import (
    DETECTORS,
    LEVEL_CONTROL,
    LEVEL_TITLE,
    SURVEYED,
    one_of_each_family,
)
from soundproof.exhibits.registry import ARTEFACTS, PAPERS
from soundproof.faithfulness.registry import FAITHFULNESS, needs_of
from soundproof.faithfulness.settings import clip_limit
from soundproof.features.recipes import APPLY_TO_READY_MADE
from soundproof.interfaces.metric import Need
from soundproof.localisation.registry import LOCALISATION
from soundproof.reasons.rules import shipped_rules
from soundproof.reasons.settings import NamingSettings
from soundproof.storage.provenance import digest

Plain = dict[str, Any]
_RANDOMISATION = "randomisation"
_ALWAYS = frozenset({"anomaly_score", "completeness_gap", "completeness_error"})
"""Metrics that no study asks for by name."""
_FEW_CLIPS = 4
"""Explained clips per machine up to which what a network makes of their copies is kept for the next detector."""


class Stages:
    """Settings and code of the stages of one study."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def dataset(self) -> Plain:
        """Kind and settings of the data set."""
        return self.study.dataset.plain()

    def clips(self) -> Plain:
        """What the list of clips states of its origin: data set, settings, and what the licence asks for."""
        return {**self.dataset(), "licence": self.licence()}

    def licence(self) -> str:
        """Licence of the data set and its consequence."""
        return DATASETS[self.study.dataset.kind].licence

    def manifest(self) -> str:
        """File that lists what was fetched: one for each choice of settings, since they need different files."""
        return f"manifest-{digest(self.dataset())}.json"

    def features(self) -> Plain:
        """Feature recipe with all its values; of ready-made spectrograms only what applies to them."""
        applies = set(APPLY_TO_READY_MADE) if DATASETS[self.study.dataset.kind].ready_made else None
        return self.study.features.model_dump(mode="json", include=applies)

    def detector(self, label: str) -> Plain:
        """Kind and settings of a detector (what it is called and whether it is explained changes no weight)."""
        return Chosen.plain(self.study.detectors[label])

    def fitted_at_once(self) -> list[str]:
        """Detectors that are fitted without epochs: those of a part share a job."""
        return [label for label, chosen in self.study.detectors.items() if DETECTORS[chosen.kind].quick]

    def explained_together(self) -> dict[str, list[str]]:
        """Explained detectors that stand on one network, by its name: those of a part share jobs, and its passes.

        Only where few clips are explained: what a network makes of thousands of copies cannot be kept, and as many
        jobs as detectors are done sooner side by side.
        """
        few = self.study.explain.per_machine
        if few is None or few > _FEW_CLIPS:
            return {}
        standing: dict[str, list[str]] = {}
        for label in self.study.explained:
            parts = self.study.detectors[label].settings.parts()
            if network := next((part for part in parts if isinstance(part, BackboneSettings)), None):
                settings = digest([network.kind, network.model_dump(mode="json")])
                standing.setdefault(settings, []).append(label)
        several = [labels for labels in standing.values() if len(labels) > 1]
        names = [self.backbones()[labels[0]] for labels in several]
        return {
            name if names.count(name) == 1 else f"{name}_{names[: number + 1].count(name)}": labels
            for number, (name, labels) in enumerate(zip(names, several, strict=True))
        }

    def weights(self, label: str) -> list[str]:
        """Pretrained weights that a detector needs, by their names in the catalogue."""
        return list(self.study.detectors[label].settings.needed_weights())

    def all_weights(self) -> list[str]:
        """Pretrained weights that any detector of the study needs."""
        return _unique(name for label in self.study.detectors for name in self.weights(label))

    def explainer(self, label: str) -> Plain:
        """Kind and settings of an explainer."""
        return Chosen.plain(self.study.explainers[label])

    def explain(self) -> Plain:
        """Which clips are explained."""
        return self.study.explain.model_dump(mode="json")

    def faithfulness(self) -> Plain:
        """Faithfulness metrics, and the explainers that metrics may have to run again."""
        return {
            "families": _families(self.study.faithfulness),
            "explainers": {label: self.explainer(label) for label in self.study.explainers},
            "segment_seconds": self.study.segment_seconds,
            **(self._sound() if self._asks("faithfulness", "sound") else {}),
        }

    def _sound(self) -> Plain:
        """Where those that listen find the sound, and by which recipe maps are made of it."""
        return {"dataset": self.dataset(), "features": self.features()}

    def localisation(self) -> Plain:
        """Localisation metrics, and where those that listen find the sound."""
        sound = self._sound() if self._asks("localisation", "stems") else {}
        asked = [item.settings for item in self.study.localisation.values()]
        return {"families": _families(self.study.localisation), **sound, **_rules(asked)}

    def needs_backgrounds(self) -> bool:
        """Whether a metric asks for the clean backgrounds of the clips."""
        return self._asks("faithfulness", "background")

    def needs_event_maps(self) -> bool:
        """Whether a metric asks for maps of the events alone."""
        return self._asks("localisation", "event_maps")

    def _asks(self, judged: Literal["faithfulness", "localisation"], need: Need) -> bool:
        """Whether a metric of the study needs something besides the maps."""
        chosen, known = {
            "faithfulness": (self.study.faithfulness, FAITHFULNESS),
            "localisation": (self.study.localisation, LOCALISATION),
        }[judged]
        return any(need in needs_of(known[item.kind], item.settings) for item in chosen.values())

    def bands(self) -> Plain:
        """Frequency bands that are removed in turn.

        Raises:
            ValueError: The study removes none.
        """
        if self.study.bands is None:
            raise ValueError(f"study '{self.study.name}' removes no bands")
        return self.study.bands.model_dump(mode="json")

    def listen(self) -> Plain:
        """What makes explanations audible: the sound, the maps' way back to it, and the mask.

        Raises:
            ValueError: The study makes none audible.
        """
        if self.study.listen is None:
            raise ValueError(f"study '{self.study.name}' makes no explanation audible")
        return {
            "listen": self.study.listen.model_dump(mode="json"),
            **self._sound(),
        }

    def reasons(self) -> Plain:
        """What puts maps into words: the sound, the maps' way back to it, how cells are taken and named.

        Raises:
            ValueError: The study puts none into words.
        """
        if self.study.reasons is None:
            raise ValueError(f"study '{self.study.name}' puts no explanation into words")
        return {
            "reasons": self.study.reasons.model_dump(mode="json"),
            **_rules([self.study.reasons]),
            **self._sound(),
            **({"gallery": shown} if (shown := self.gallery_maps()) else {}),
        }

    def explorer(self) -> Plain:
        """What shapes the page of explained clips: its room, the sound, names in print.

        Raises:
            ValueError: The study has no such page.
        """
        if self.study.explorer is None or not self.study.explained:
            raise ValueError(f"study '{self.study.name}' shows no explained clips")
        return {
            "explorer": self.study.explorer.model_dump(mode="json"),
            "facts": self.facts(),
            **self._sound(),
        }

    def no_explorer(self) -> str:
        """Why there is no page of explained clips; empty: there is one."""
        if not self.study.explained:
            return "the study explains no clip"
        return "" if self.study.shown_fits() else "the study switches it off ('explorer: null')"

    def trainings(self) -> Plain:
        """How many clips of two trainings are compared: those whose maps model randomisation compares."""
        return {"n_clips": clip_limit(self.study.faithfulness[_RANDOMISATION].settings)}

    def compared_fits(self, part: str) -> list[list[Any]]:
        """[detector, seed] of explained detectors with several trainings, where weights are redrawn."""
        if _RANDOMISATION not in self.study.faithfulness:
            return []
        fits = [[label, seed] for of, label, seed in self.study.fits(self.study.explained) if of == part]
        trained = Counter(label for label, _ in fits)
        return [fit for fit in fits if trained[fit[0]] > 1 and self.compared_explainers()]

    def inputs_shown(self) -> list[str]:
        """Explainers that show the input itself, the rival that needs no detector."""
        return [label for label, chosen in self.study.explainers.items() if chosen.kind == INPUT_MAP]

    def compared_explainers(self) -> list[str]:
        """Explainers whose maps follow the training; maps made elsewhere are the same for all."""
        return [
            label
            for label, chosen in self.study.explainers.items()
            if not EXPLAINERS[chosen.kind].made_elsewhere
        ]

    def facts(self) -> Plain:
        """What tables and figures must know beside the numbers."""
        study = self.study
        return {
            "title": study.title or study.name,
            "dataset": DATASETS[study.dataset.kind].title,
            "detector_titles": {label: detector.title for label, detector in study.detectors.items()}
            | {LEVEL_CONTROL: LEVEL_TITLE},
            "detector_kinds": {label: detector.kind for label, detector in study.detectors.items()}
            | {LEVEL_CONTROL: LEVEL_CONTROL},
            "mask_ratios": {
                label: detector.settings.mask_ratio
                for label, detector in study.detectors.items()
                if hasattr(detector.settings, "mask_ratio")
            },
            "backbones": self.backbones(),
            "controls": self.controls(),
            "families": self.families(),
            **({"absent": absent} if (absent := self.absent()) else {}),
            "contexts": self.contexts(),
            "explainer_kinds": {label: explainer.kind for label, explainer in study.explainers.items()},
            "explainer_titles": {label: explainer.title for label, explainer in study.explainers.items()},
            "segment_seconds": study.segment_seconds,
            "reported_dataset": study.reported_dataset,
            "measures": self.measures(),
            **self._plugged(),
        }

    def _plugged(self) -> Plain:
        """Metrics that other packages register; of most studies nothing, so that their facts stay what they are."""
        found = {
            registry.kind: [item.kind for item in chosen.values() if item.kind in registry.plugins()]
            for registry, chosen in (
                (LOCALISATION, self.study.localisation),
                (FAITHFULNESS, self.study.faithfulness),
            )
        }
        named = {kind: names for kind, names in found.items() if names}
        return {"plugged": named} if named else {}

    def paper(self) -> str:
        """The paper whose question the study asks, with its title; empty: none."""
        name = self.study.paper
        return "" if name is None else f"{name}, {PAPERS[name]}"

    def backbones(self) -> dict[str, str]:
        """Name of the backbone by label of the detectors that stand on one."""
        return {
            label: part.kind
            for label, detector in self.study.detectors.items()
            for part in detector.settings.parts()
            if isinstance(part, BackboneSettings)
        }

    def controls(self) -> dict[str, list[str]]:
        """Labels of the controls of each detector on a trained network: all else equal, random weights or none."""
        standing = {
            label: (chosen.kind, chosen.settings.model_dump(exclude={"backbone"}), backbone)
            for label, chosen in self.study.detectors.items()
            if isinstance(backbone := getattr(chosen.settings, "backbone", None), BackboneSettings)
        }
        return {
            label: [
                other
                for other, (of_kind, same, control) in standing.items()
                if (of_kind, same) == (kind, rest) and control.controls(backbone)
            ]
            for label, (kind, rest, backbone) in standing.items()
            if not backbone.entry.control
        }

    def contexts(self) -> dict[str, Plain]:
        """Contexts by label of the detectors that may compare clips within one, and which of them each is told."""
        return {
            label: {
                "attribute": settings.attribute,
                "names": list(settings.contexts),
                "step": int(settings.told == "wrong"),
            }
            for label, detector in self.study.detectors.items()
            if isinstance(settings := detector.settings, ContextMemorySettings)
        }

    def families(self) -> dict[str, str]:
        """Family of each detector by its label."""
        return {
            label: DETECTORS[detector.kind].family_of(detector.settings)
            for label, detector in self.study.detectors.items()
        }

    def absent(self) -> list[dict[str, str]]:
        """Members of surveyed families that the study has not, since they need what only its user can bring.

        Returns:
            Title, family and reason of each: of those that were asked for and left out, then of those in the
            registry that the study does not ask for; none where no families are compared.
        """
        if not self.compares_families():
            return []
        found = [
            {
                "title": chosen.title,
                "family": DETECTORS[chosen.kind].family_of(chosen.settings),
                "reason": chosen.settings.lacking(),
            }
            for chosen in self.study.missing.values()
        ]
        chosen_kinds = {one.kind for one in (*self.study.detectors.values(), *self.study.missing.values())}
        return found + [
            {"title": entry.title, "family": entry.family, "reason": entry.brought}
            for entry in DETECTORS.values()
            if entry.brought and entry.family in SURVEYED and entry.name not in chosen_kinds
        ]

    def compares_families(self) -> bool:
        """Whether several of the surveyed families have a member here, be it one that was left out."""
        left_out = {DETECTORS[one.kind].family_of(one.settings) for one in self.study.missing.values()}
        return len(SURVEYED & {*self.families().values(), *left_out}) > 1

    def gallery(self) -> list[str]:
        """Detectors that are shown on a clip of each fault: one of each family, where families are compared."""
        if not self.compares_families():
            return []
        return one_of_each_family(self.families(), self.study.explained)

    def gallery_maps(self) -> list[list[str]]:
        """[detector, explainer] of the own maps that are shown on a clip of each fault."""
        own = [label for label, chosen in self.study.explainers.items() if chosen.kind == OWN_MAP]
        return [[detector, explainer] for detector in self.gallery() for explainer in own[:1]]

    def words_in_gallery(self) -> bool:
        """Whether maps of the gallery are put into words, so that its clips must be known."""
        return self.study.reasons is not None and bool(self.gallery_maps())

    def measures(self) -> list[str]:
        """Names in the ``metric`` column that the study asks for."""
        study = self.study
        families = [FAITHFULNESS[item.kind] for item in study.faithfulness.values()]
        families += [LOCALISATION[item.kind] for item in study.localisation.values()]
        names = {measure for family in families for measure in family.measures} | {"anomaly_score"}
        names |= set(study.detection)
        names |= {said for item in study.explainers.values() for said in EXPLAINERS[item.kind].measures}
        names |= {kept for detector in study.detectors.values() for kept in DETECTORS[detector.kind].keeps}
        names |= {"band_removed_score"} if study.bands is not None else set()
        return sorted(names)

    def shown(self) -> list[str]:
        """Tables and figures that belong on the study's page: those of which it measures anything."""
        left_out = set(self.left_out())
        return [name for name in ARTEFACTS if name not in left_out]

    def exhibits(self, *, tables: bool) -> list[str]:
        """Tables, or figures, that are made: those shown."""
        return [name for name in self.shown() if (ARTEFACTS[name].kind == "table") == tables]

    def left_out(self) -> list[str]:
        """Tables and figures made from metrics, backbones, families or words that the study does not ask for."""
        measures = set(self.measures()) - _ALWAYS
        has_backbones = bool(self.backbones())
        has_families = self.compares_families()
        return [
            name
            for name, entry in ARTEFACTS.items()
            if ((needed := set(entry.needs) - _ALWAYS) and needed.isdisjoint(measures))
            or (entry.of_backbones and not has_backbones)
            or (entry.of_families and not has_families)
            or (entry.of_reasons and self.study.reasons is None)
        ]

    def words(self) -> dict[str, str]:
        """What was run, for the reader of a report."""
        study, features = self.study, self.study.features
        explained = study.explain.per_machine
        return {
            **({"Paper": self.paper()} if self.paper() else {}),
            "Data set": f"{DATASETS[study.dataset.kind].title} ({self.licence()})",
            "Features": f"recipe {features.recipe}, level {features.level}, standardised: {features.standardise}",
            "Segments": f"{study.segment_seconds:g} s, where a metric counts in segments",
            "Models": "one for all machines" if study.scope == "pooled" else "one per machine",
            "Seeds": ", ".join(map(str, study.seeds)),
            **({} if study.precision == "strict" else {"Precision on a GPU": study.precision}),
            "Detectors": ", ".join(detector.title for detector in study.detectors.values()),
            "Explainers": ", ".join(explainer.title for explainer in study.explainers.values()),
            "Explained clips": f"{study.explain.clips}" + (f", {explained} per machine" if explained else ""),
        }

    def dataset_code(self) -> list[str]:
        """Module of the data set."""
        return [DATASETS[self.study.dataset.kind].module]

    def detector_code(self, label: str) -> list[str]:
        """Modules of a detector, and of the parts that its settings name."""
        chosen = self.study.detectors[label]
        return _unique([DETECTORS[chosen.kind].module, *chosen.settings.named_modules()])

    def all_detector_code(self) -> list[str]:
        """Modules of all detectors."""
        return _unique(module for label in self.study.detectors for module in self.detector_code(label))

    def explainer_code(self, label: str, detector: str) -> list[str]:
        """Modules of an explainer and of the detector it explains."""
        return [EXPLAINERS[self.study.explainers[label].kind].module, *self.detector_code(detector)]

    def faithfulness_code(self, detector: str) -> list[str]:
        """Modules of the faithfulness metrics, of the detector, and of the explainers they run again."""
        chosen = self.study.faithfulness.values()
        modules = [FAITHFULNESS[item.kind].module for item in chosen] + self.detector_code(detector)
        if self._asks("faithfulness", "re-explanation"):
            modules += [EXPLAINERS[item.kind].module for item in self.study.explainers.values()]
        if self._asks("faithfulness", "sound"):
            modules += self.dataset_code()
        return _unique(modules)

    def localisation_code(self) -> list[str]:
        """Modules of the localisation metrics."""
        modules = [LOCALISATION[item.kind].module for item in self.study.localisation.values()]
        return _unique(modules + (self.dataset_code() if self._asks("localisation", "stems") else []))


def _families(chosen: dict[str, Chosen]) -> Plain:
    return {name: item.settings.model_dump(mode="json") for name, item in chosen.items()}


def _rules(chosen: Iterable[Parameters]) -> Plain:
    """The shipped rules where settings ask them: they are no setting, and shape numbers all the same."""
    asked = any(isinstance(settings, NamingSettings) for settings in chosen)
    return {"rules": [rule.model_dump(mode="json") for rule in shipped_rules()]} if asked else {}


def _unique(modules: Iterable[str]) -> list[str]:
    return sorted(set(modules))
