"""Arrow schemas of the tables that flow between the stages (one place, so that no stage invents a column)."""

from __future__ import annotations

import pyarrow as pa

EVENT = pa.struct(
    [
        pa.field("onset_s", pa.float64()),
        pa.field("offset_s", pa.float64()),
        pa.field("low_hz", pa.float64()),
        pa.field("high_hz", pa.float64()),
    ]
)
"""A labelled event: half-open ``[onset_s, offset_s)``; the band is null where only time was labelled."""

CLIPS = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("machine", pa.string(), nullable=False),
        pa.field("machine_id", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),  # train | test
        pa.field("label", pa.string(), nullable=False),  # normal | anomaly
        pa.field("domain", pa.string()),  # source | target | null
        pa.field("snr_db", pa.float64()),
        pa.field("anomaly_type", pa.string()),  # null for normal clips
        # conditions of the recording, "name=value;name=value" (speed, microphone, ...); null: nobody noted any
        pa.field("attributes", pa.string()),
        pa.field("path", pa.string()),  # relative to the data set's folder; null for synthesised clips
        pa.field("sample_rate_hz", pa.int32()),
        pa.field("n_samples", pa.int64()),
        pa.field("sha256", pa.string()),
        # null: nobody labelled this clip; empty list: labelled, nothing there
        pa.field("events", pa.list_(EVENT)),
    ]
)

HISTORY = pa.schema(
    [
        pa.field("epoch", pa.int32(), nullable=False),
        pa.field("train_loss", pa.float64(), nullable=False),
        pa.field("validation_loss", pa.float64(), nullable=False),
        pa.field("learning_rate", pa.float64(), nullable=False),
        pa.field("best", pa.bool_(), nullable=False),
        # validation loss of an answer that knows nothing of the clip; null where there is no such answer
        pa.field("trivial_loss", pa.float64()),
    ]
)

LISTENING = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("machine", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),  # clip | fault | marked | left
        pa.field("detector", pa.string()),  # null for the clip itself and its fault
        pa.field("explainer", pa.string()),
        pa.field("rate_hz", pa.int32()),
        pa.field("gain", pa.float64()),  # the same for all sounds of a clip
        pa.field(
            "flac", pa.binary()
        ),  # a whole FLAC file of 16 bits; null where `why` says what is in the way
        pa.field("why", pa.string()),
    ]
)
"""Sounds of a study, one per row. ``marked`` and ``left`` of a detector and explainer sum to ``clip`` exactly."""

REASONS = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("machine", pa.string(), nullable=False),
        pa.field("detector", pa.string()),  # null for the true mask
        pa.field("explainer", pa.string()),
        pa.field("sentence", pa.string()),  # null where `why` says what is in the way
        pa.field("fault", pa.string()),  # null: one cannot tell, or no rule was asked
        # by names of soundproof.reasons.attributes.ATTRIBUTES; what could not be measured is left out
        pa.field("attributes", pa.map_(pa.string(), pa.float64())),
        # the same of the same cells of normal clips, their median
        pa.field("normal", pa.map_(pa.string(), pa.float64())),
        pa.field("why", pa.string()),
    ]
)
"""What maps mark, in words, one map of a clip per row."""

PAGE_FILES = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),  # relative to the page's folder
        pa.field("n_bytes", pa.int64(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),  # as soundproof.storage.provenance.file_digest
    ]
)
"""Files of a page that consists of many."""

MEASUREMENTS = pa.schema(
    [
        pa.field("study", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("machine", pa.string()),
        pa.field("snr_db", pa.float64()),
        pa.field("protocol", pa.string(), nullable=False),  # empty where a metric has only one
        pa.field("detector", pa.string(), nullable=False),
        pa.field("seed", pa.int32(), nullable=False),
        pa.field("explainer", pa.string()),  # null for scores
        pa.field("metric", pa.string(), nullable=False),
        pa.field("parameter", pa.float64()),  # percentile, band, quantile ...; null where the metric has none
        pa.field("clip_id", pa.string()),  # null for metrics of a whole set
        pa.field("value", pa.float64(), nullable=False),
    ]
)
"""One measured number per row; every table is a filter and a group-by of it."""
