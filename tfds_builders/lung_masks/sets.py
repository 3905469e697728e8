"""What is known of each source: how its masks were drawn, its licence, how it lies on disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow_datasets as tfds

HEART_OUT = (
    "lung fields as far as they are seen beside heart and mediastinum: the heart shadow is not lung"
)
HEART_IN = "both lungs with what lies behind the heart: most of the heart shadow is lung"
_JAEGER = "Jaeger et al., Quant Imaging Med Surg 4 (2014) 475"


@dataclass(eq=False, kw_only=True)
class Config(tfds.core.BuilderConfig):
    """One source of masks.

    Attributes:
        mask_definition: what the masks call lung; sets that differ in it are not to be mixed.
        label_source: who drew the masks.
        licence: in short.
        citation: in short.
        tree: the trees that are understood.
        redistributable: whether the images may be passed on.
        dtype: type of the images.
        ignore: whether the value 127 occurs.
        projections: of the set; where there is one, it is the view of every image.
        original_size: pixels a side as published, 0 where it varies.
        kermany: whether the images are Kermany's, so that the split has to be as well.
        patients_unknown: whether images of one patient may lie on both sides of a split.
        unsafe_for: builders whose test patients may be in the train split.
    """

    mask_definition: str
    label_source: str
    licence: str
    citation: str
    tree: str
    redistributable: bool = True
    dtype: type = np.uint8
    ignore: bool = False
    projections: tuple[str, ...] = ()
    original_size: int = 0
    kermany: bool = False
    patients_unknown: bool = False
    unsafe_for: tuple[str, ...] = ()


CONFIGS = [
    Config(
        name="montgomery",
        description="138 PA images, 58 with tuberculosis; left and right masks united",
        mask_definition=HEART_OUT,
        label_source="drawn under a radiologist's supervision",
        licence="free with citation (U.S. National Library of Medicine)",
        citation=_JAEGER,
        projections=("PA",),
        tree="""\
    MontgomerySet/CXR_png/MCUCXR_0001_0.png
    MontgomerySet/ManualMask/leftMask/MCUCXR_0001_0.png, .../rightMask/MCUCXR_0001_0.png
    MontgomerySet/ClinicalReadings/MCUCXR_0001_0.txt      (age and sex; may be missing)
    or Kaggle's joint copy: Lung Segmentation/CXR_png/MCUCXR_0001_0.png, .../masks/...
    or Mendeley Data's joint copy: Montgomery/img/..., Montgomery/mask/...
""",
    ),
    Config(
        name="shenzhen",
        description="566 of 662 images, those that have a mask; 336 of the 662 with tuberculosis",
        mask_definition=HEART_OUT,
        label_source="drawn by students and teachers (Stirenko et al. 2018)",
        licence="images free with citation (NLM); masks CC BY-NC-SA 4.0",
        citation=f"{_JAEGER}; masks: Stirenko et al., arXiv:1803.01199",
        redistributable=False,
        tree="""\
    ChinaSet_AllFiles/CXR_png/CHNCXR_0001_0.png
    mask/CHNCXR_0001_0_mask.png                           (from Kaggle, shcxr-lung-mask)
    ChinaSet_AllFiles/ClinicalReadings/CHNCXR_0001_0.txt  (age and sex; may be missing)
    or Kaggle's joint copy: Lung Segmentation/CXR_png/CHNCXR_0001_0.png, .../masks/...
    or Mendeley Data's joint copy: Shenzhen/img/..., Shenzhen/mask/...
""",
    ),
    Config(
        name="jsrt",
        description="247 PA films, 154 with a nodule, 12 bits; left and right masks united",
        mask_definition=HEART_OUT,
        label_source="first observer of SCR",
        licence="research and education only, not to be passed on (JSRT; SCR)",
        citation="Shiraishi et al., AJR 174 (2000) 71; van Ginneken et al., MedIA 10 (2006) 19",
        redistributable=False,
        dtype=np.uint16,
        projections=("PA",),
        original_size=2048,
        tree="""\
    .../JPCLN001.IMG, .../JPCNN001.IMG   raw films (All247images), or .png copies of them
    .../masks/left lung/JPCLN001.gif, .../masks/right lung/JPCLN001.gif   (SCR, fold1 and fold2)
    .../CLNDAT_EN.txt, .../CNNDAT_EN.TXT   (age and sex; may be missing)
    or joint masks: .../masks/JPCLN001.png
""",
    ),
    Config(
        name="darwin",
        description="V7 Darwin, 6,500 images, mostly Kermany's and COVID-19; with ignored regions",
        mask_definition=HEART_IN,
        label_source="V7 annotators",
        licence="masks CC BY 4.0; images CC BY 4.0 (Kermany) and various (COVID-19)",
        citation="V7 Labs, COVID-19 X-ray dataset (2020), github.com/v7labs/covid-19-xray-dataset",
        redistributable=False,
        ignore=True,
        kermany=True,
        patients_unknown=True,
        unsafe_for=("kermany_pneumonia",),
        tree="""\
    covid-19-chest-x-ray-dataset/images/*
    .../annotations/all-images-semantic-masks/1676192.png
    .../annotations/all-images/1676192.json, or releases/all-images/annotations/1676192.json
    or Mendeley Data's joint copy: Darwin/img/*.png, Darwin/mask/*.png of the same names
""",
    ),
    Config(
        name="kermany_pairs",
        description="1,532 of Kermany's training images with their V7 Darwin masks",
        mask_definition=HEART_IN,
        label_source="V7 annotators",
        licence="CC BY 4.0, image and mask",
        citation="Kermany et al., Cell 172 (2018) 1122; V7 Labs, COVID-19 X-ray dataset (2020)",
        kermany=True,
        projections=("AP",),
        tree="""\
    pairs.csv      columns image, mask, label, pairing and others
    images/*.jpeg  Kermany's file names
    masks/*.png
""",
    ),
]
