"""What rules ask of the study that their wildcards name: settings, code, inputs that not every study has. No rule stands here."""

import os
from functools import cache, partial

from soundproof.datasets.registry import DATASETS
from soundproof.folders.sources import fit_digests, joint, map_digests, source_digests
from soundproof.runs.jobs_of import StudyJobs


def stages(wildcards):
    """Settings and code of the study's stages."""
    return Stages(STUDIES[wildcards.study])


def jobs_of(wildcards):
    """What shapes the files of the study, rule by rule."""
    return StudyJobs(STUDIES[wildcards.study])


def stated(record):
    """Parameter that holds what the files of a job say of their origin: stage, settings, code and seed.

    `record` gets the jobs of the study and the wildcards, and says which job it is. A change of settings, or of what
    its code says, reruns the job.
    """
    return lambda wildcards: record(jobs_of(wildcards), wildcards).stated()


def manifest_of(wildcards):
    """What says which files of a study's data set were fetched; one's own files are told by their content."""
    dataset = STUDIES[wildcards.study].dataset
    if not DATASETS[dataset.kind].needs_download:
        return []
    return [f"{DATA}/{dataset.kind}/{stages(wildcards).manifest()}"]


@cache
def contents_of(study):
    """Digest of all files of one's own that a study's clips are read from, and of their names; None without any.

    A parameter instead of inputs: Snakemake would compare dates before contents, and names would be patterns.
    """
    try:
        return joint(source_digests(STUDIES[study].dataset))
    except SoundproofError as error:
        sys.exit(f"Cannot run: {error}")


def contents(wildcards):
    """As `contents_of`, of the study that the wildcards name."""
    return contents_of(wildcards.study)


def weights_of(study, detectors):
    """Files of the weights that detectors stand on; their content is pinned, so that their dates say nothing."""
    wanted = Stages(STUDIES[study])
    names = dict.fromkeys(name for label in detectors for name in wanted.weights(label))
    return [ancient(WEIGHTS.format(weights=name)) for name in names]


def weights_of_detector(wildcards):
    """As `weights_of`, of the detector that the wildcards name."""
    return weights_of(wildcards.study, [wildcards.detector])


@cache
def maps_of(study, label):
    """Digests of the files behind an explainer whose maps were made elsewhere; of others none."""
    try:
        return map_digests(STUDIES[study].explainers[label])
    except SoundproofError as error:
        sys.exit(f"Cannot run: {error}")


@cache
def weights_of_ones_own(study, label):
    """Digests of the files that the fit of a detector reads beside its clips; of most none."""
    try:
        return fit_digests(STUDIES[study].detectors[label])
    except SoundproofError as error:
        sys.exit(f"Cannot run: {error}")


def trained_keys(wildcards):
    """(part, detector, seed) of each file that `trained` lists, in its order."""
    study = STUDIES[wildcards.study]
    return [list(fit) for fit in study.fits(study.detectors)]


def fits_of_part(wildcards):
    """(detector, seed) of each file that `of_part` lists, in its order."""
    return [fit[1:] for fit in trained_keys(wildcards) if fit[0] == wildcards.part]


def explained_fits_of_part(wildcards):
    """(detector, seed) of the files that `explained_of_part` lists, in its order."""
    labels = STUDIES[wildcards.study].explained
    return [fit for fit in fits_of_part(wildcards) if fit[0] in labels]


def reported(wildcards):
    """Numbers of the papers that a study is compared with."""
    name = STUDIES[wildcards.study].reported
    # relative: Snakemake's record of inputs must fit in every clone
    return (
        [os.path.relpath(Path(workflow.basedir, "config", "reported", f"{name}.csv"))]
        if name
        else []
    )


def dataset_settings(wildcards):
    """Settings of the data set that a manifest is named after."""
    manifest = f"{wildcards.dataset}/manifest-{wildcards.settings}.json"
    return next(
        settings.dataset()
        for settings in map(Stages, STUDIES.values())
        if f"{settings.study.dataset.kind}/{settings.manifest()}" == manifest
    )


def faithfulness_rows(wildcards):
    """Files of faithfulness, where the study asks for any metric of it."""
    wanted = STUDIES[wildcards.study].faithfulness
    return explained(f"{STUDY}/faithfulness/{FIT}.parquet")(wildcards) if wanted else []


def localisation_rows(wildcards):
    """Files of localisation, where the study asks for any metric of it."""
    wanted = STUDIES[wildcards.study].localisation
    return parts(f"{STUDY}/localisation/{{part}}.parquet")(wildcards) if wanted else []


def without_bands(wildcards):
    """Files of scores without bands, where the study asks for them."""
    wanted = STUDIES[wildcards.study].bands is not None
    return parts(f"{STUDY}/bands/{{part}}.parquet")(wildcards) if wanted else []


def sounds_to_hear(wildcards):
    """What explanations sound like, where the study makes them audible."""
    listen = STUDIES[wildcards.study].listen
    return [f"{RUN}/{wildcards.study}/listening.parquet"] if listen else []


def reasons_in_words(wildcards):
    """What maps mark, in words, where the study says it."""
    wanted = STUDIES[wildcards.study].reasons is not None
    return [f"{RUN}/{wildcards.study}/reasons.parquet"] if wanted else []


def scores_of_gallery(wildcards):
    """Scores that choose the clips of a gallery, where what its maps mark is put into words."""
    wanted = stages(wildcards).words_in_gallery()
    return [first_fit(f"{STUDY}/scores/{{part}}.parquet")(wildcards)] if wanted else []


def other_trainings(wildcards):
    """Files that compare the trainings of a detector, for parts where there are several of one."""
    wanted = stages(wildcards)
    return [
        f"{RUN}/{wildcards.study}/trainings/{part}.parquet"
        for part in STUDIES[wildcards.study].parts()
        if wanted.compared_fits(part)
    ]


def asked(study, label, sharing):
    """Parameter function: what shapes the maps of one explainer, training by training, so that a change names that
    explainer alone."""

    def of_each(wildcards):
        jobs, part = StudyJobs(STUDIES[study]), wildcards.part
        return [
            {
                "label": label,
                "record": jobs.attribute_clips(part, detector, seed, label).stated(),
                "foreign_maps": maps_of(study, label),
            }
            for detector, seed in fits_of_job(sharing, wildcards)
        ]

    return of_each


def judged(study, sharing):
    """Parameter function: what shapes the faithfulness of each training of a job."""
    return lambda wildcards: [
        StudyJobs(STUDIES[study])
        .measure_faithfulness(wildcards.part, detector, seed)
        .stated()
        for detector, seed in fits_of_job(sharing, wildcards)
    ]


def trainings_of(wildcards, fits):
    """What shapes the weights of each [detector, seed] of the part."""
    jobs = jobs_of(wildcards)
    return [
        {
            "label": label,
            "seed": seed,
            "record": jobs.train_detector(wildcards.part, label, seed).stated(),
            "foreign_weights": weights_of_ones_own(wildcards.study, label),
        }
        for label, seed in fits
    ]


def one_training(wildcards):
    """The training that the wildcards name."""
    return trainings_of(wildcards, [[wildcards.detector, int(wildcards.seed)]])


def shared_trainings(wildcards):
    """The study's trainings that share a job."""
    return trainings_of(wildcards, trainings_at_once(wildcards.study).fits())


def backgrounds(wildcards):
    """Clean backgrounds of the clips, where a metric asks for them."""
    needed = stages(wildcards).needs_backgrounds()
    return [f"{RUN}/{wildcards.study}/backgrounds/{{part}}.parquet"] if needed else []


def event_maps(wildcards):
    """Maps of the events alone, where a metric asks for them."""
    needed = stages(wildcards).needs_event_maps()
    return [f"{STUDY}/events/{{part}}.parquet"] if needed else []
