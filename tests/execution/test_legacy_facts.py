"""What each source system says of its own protocol, fact by fact, where the suites have it."""

from __future__ import annotations

import pytest

from benchmark.data.augmentation import AXIS as AUGMENTATIONS
from benchmark.protocols import find
from benchmark.spec import PUBLISHED
from benchmark.suites import load_suite
from benchmark.training.recipe import make_recipe

CNNS = [f"thamilarasi{variant}" for variant in (1, 2, 3, 4, 5)]


def recipe_of(suite, model, size):
    return make_recipe(*suite.recipe_values(model, size))


def axis(suite, model, name):
    """Every value of an image axis that a model is run with."""
    return {variant[name] for variant in suite.variants(model)}


def begins(suite, model):
    """Every scheme a model is trained by, with what it begins from."""
    return {(variant["scheme"], variant["weights"]) for variant in suite.variants(model)}


def test_s0_splits_by_image_copies_positives_and_decides_at_nine_tenths():
    suite, protocol = load_suite("legacy_s0"), find("legacy_s0")
    assert suite.datasets[0] == ("padchest/lung_metastasis_all", "legacy_s0")
    assert (protocol.split, protocol.random_state) == ("by_image", 42)
    assert protocol.fractions == {"train": 0.8, "test": 0.2}
    assert (protocol.copies, protocol.decision) == ("train", 0.9)
    assert suite.named_models == [*CNNS, "densenet121_s0"]
    for model in suite.named_models:
        assert axis(suite, model, "resolution") == {295, 512}
        assert axis(suite, model, "imbalance") == {"copies_s0"}
        assert axis(suite, model, "normalisation") == {"unit"}
        assert axis(suite, model, "augmentation") == {"none"}
        recipe = recipe_of(suite, model, 512)
        assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size) == ("adam", 1e-3, 32)
        assert (recipe.epochs, recipe.patience) == (10, 5)
        assert (recipe.schedule, recipe.warmup_steps) == ("constant", 0)
    assert ("frozen", "random") in begins(suite, "densenet121_s0")


def test_s1_has_seven_classes_four_fine_tuned_variants_and_joins_three():
    suite = load_suite("legacy_s1")
    assert [name for name, _ in suite.datasets] == ["chestxray14/seven"] * 2
    assert axis(suite, "s1_cnn", "imbalance") == {"copies_s1"}
    fine_tuned = [
        (model, variant["augmentation"])
        for model in ("efficientnetb6", "efficientnetb7")
        for variant in suite.variants(model)
        if (variant["scheme"], variant["weights"]) == ("finetune", "imagenet")
    ]
    assert len(fine_tuned) == len(set(fine_tuned)) == 4
    assert ("frozen", "imagenet") in begins(suite, "efficientnetb6")
    (joined,) = suite.ensembles
    assert (joined.kind, joined.k) == ("joined_features", 3)


def test_s2_classifies_2000_balanced_images_without_a_test_set():
    suite, protocol = load_suite("legacy_s2"), find("legacy_s2")
    assert suite.datasets[0] == ("chestxray14/six_balanced", "legacy_s2")
    assert {split: round(share * 2500) for split, share in protocol.fractions.items()} == {
        "train": 1500,
        "test": 500,
    }
    for model in ("s2_cnn", "gielczyk"):
        assert axis(suite, model, "resolution") == {176}
    for model in ("vgg16", "resnet50", "mobilenetv2", "mobilenetv2_densenet169"):
        assert axis(suite, model, "resolution") == {224}
        assert begins(suite, model) == {("frozen", "imagenet")}
    assert axis(suite, "gielczyk", "preprocessing") == {"raw", "gielczyk"}
    assert recipe_of(suite, "s2_cnn", 176).epochs == 20
    (second,) = suite.ensembles
    assert (second.kind, second.k) == ("specialist", 3)


def test_s2_segments_at_512_px_with_four_images_a_batch():
    suite = load_suite("legacy_s2_lungs")
    assert {name for name, _ in suite.datasets} == {"lung_masks/montgomery", "lung_masks/shenzhen"}
    for model in ("unet_legacy", "unet_batchnorm"):
        assert axis(suite, model, "resolution") == {512}
        recipe = recipe_of(suite, model, 512)
        assert (recipe.optimizer, recipe.learning_rate, recipe.schedule) == (
            "adam",
            1e-4,
            "constant",
        )
        assert (recipe.batch_size, recipe.epochs, recipe.warmup_steps) == (4, 15, 0)


def test_s3_flips_before_it_splits_and_turns_by_five_degrees():
    suite, protocol = load_suite("legacy_s3"), find("legacy_s3")
    assert (protocol.split, protocol.copies) == ("by_image", "before_split")
    for model in ("mlp", "cnn", "googlenet", "resnet50"):
        assert axis(suite, model, "resolution") == {64}
        assert axis(suite, model, "normalisation") == {"imagenet"}
        assert axis(suite, model, "imbalance") == {"copies_s3"}
        assert axis(suite, model, "augmentation") == {"rotate5"}
    assert AUGMENTATIONS.find("rotate5").card["amounts"] == {"rotation": 5.0}
    (vote,) = suite.ensembles
    weights = dict(zip(vote.members, vote.weights, strict=True))
    assert weights == {"mlp": 0.5, "cnn": 0.5, "resnet50": 0.5, "googlenet": 0.51}
    claimed = {claim.model: claim.f1 for claim in protocol.claims if claim.f1}
    assert claimed == {"mlp": 0.967, "cnn": 0.968, "googlenet": 0.985, "vote_s3": 0.982}


def test_s4_weighs_its_loss_and_flips_at_320_px():
    suite, protocol = load_suite("legacy_s4"), find("legacy_s4")
    assert suite.datasets[0] == ("chestxray14/small", "legacy_s4")
    assert protocol.split == "as_published"
    (variant,) = suite.variants("densenet121")
    assert variant == {
        "resolution": 320,
        "preprocessing": "raw",
        "normalisation": "standardise",
        "imbalance": "weighted",
        "scheme": "finetune",
        "weights": "imagenet",
        "augmentation": "flip",
    }


@pytest.mark.parametrize("name", [f"legacy_s{i}" for i in range(5)])
def test_the_patient_disjoint_twin_runs_in_the_same_suite(name):
    suite, protocol = load_suite(name), find(name)
    assert suite.datasets[1] == (protocol.twin, PUBLISHED)
    assert not suite.run_all
