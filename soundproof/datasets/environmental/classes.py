"""Classes of the environmental sounds, and the part that P2's EnvMix gives them (light)."""

from __future__ import annotations

from collections.abc import Mapping

URBAN_CLASSES = (
    *("air_conditioner", "car_horn", "children_playing", "dog_bark", "drilling"),
    *("engine_idling", "gun_shot", "jackhammer", "siren", "street_music"),
)
"""UrbanSound8K's classes in the order of their numbers, which file names carry."""

ESC_CLASSES = (
    *("dog", "rooster", "pig", "cow", "frog", "cat", "hen", "insects", "sheep", "crow"),
    *("rain", "sea_waves", "crackling_fire", "crickets", "chirping_birds"),
    *("water_drops", "wind", "pouring_water", "toilet_flush", "thunderstorm"),
    *("crying_baby", "sneezing", "clapping", "breathing", "coughing"),
    *("footsteps", "laughing", "brushing_teeth", "snoring", "drinking_sipping"),
    *("door_wood_knock", "mouse_click", "keyboard_typing", "door_wood_creaks", "can_opening"),
    *("washing_machine", "vacuum_cleaner", "clock_alarm", "clock_tick", "glass_breaking"),
    *("helicopter", "chainsaw", "siren", "car_horn", "engine"),
    *("train", "church_bells", "airplane", "fireworks", "hand_saw"),
)
"""ESC-50's classes in the order of their numbers, which file names carry."""

BACKGROUNDS: Mapping[str, int] = {
    "air_conditioner": 987,
    "engine_idling": 923,
    "street_music": 977,
    "drilling": 764,
    "car_horn": 187,
    "jackhammer": 787,
    "children_playing": 970,
    "siren": 834,
}
"""P2's backgrounds, with the numbers of clips (training and test) of at least 4 s that its sizes add up to."""

EVENTS = (
    *(
        "glass_breaking",
        "coughing",
        "sneezing",
        "door_wood_knock",
        "rooster",
        "can_opening",
        "car_horn",
        "dog",
    ),
    *("laughing", "door_wood_creaks", "clock_alarm", "clapping", "sheep", "snoring", "fireworks"),
    *("washing_machine", "frog"),
)
"""P2's anomalies, classes of ESC-50."""

TEXTURES = ("rain", "sea_waves", "crackling_fire", "helicopter", "chainsaw")
"""The lasting sounds among ESC-10, which serve as normal classes."""

ESC10_EVENTS = ("dog", "crying_baby", "sneezing", "rooster", "clock_tick")
"""The short sounds among ESC-10, which serve as events."""

ESC10_NAMES: Mapping[str, str] = {
    "dog_bark": "dog",
    "baby_cry": "crying_baby",
    "person_sneeze": "sneezing",
    "fire_crackling": "crackling_fire",
    **{name: name for name in (*TEXTURES, *ESC10_EVENTS)},
}
"""ESC-50's name of each class by the names of ESC-10's folders: ESC-10's own, and ESC-50's."""
