"""Two MoCo v2 views of JPEG files by torchvision: on PIL images as MoCo's main_moco.py makes them, and by v2 on tensors."""

import random

import torch
from PIL import Image, ImageFilter
from torch.utils.data import DataLoader, Dataset
from torchvision import io, transforms
from torchvision.transforms import v2

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LEAST_SIGMA, MOST_SIGMA = 0.1, 2.0
BLUR_SIZE = 13
"""Three times the largest sigma to both sides."""


class PilBlur:
    """MoCo's GaussianBlur."""

    def __call__(self, image):
        return image.filter(ImageFilter.GaussianBlur(random.uniform(LEAST_SIGMA, MOST_SIGMA)))


def pil_transform(side):
    return transforms.Compose([
        transforms.RandomResizedCrop(side, scale=(0.2, 1.0)),
        transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], 0.8),
        transforms.RandomGrayscale(0.2),
        transforms.RandomApply([PilBlur()], 0.5),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, DEVIATION),
    ])


def tensor_transform(side):
    return v2.Compose([
        v2.RandomResizedCrop(side, scale=(0.2, 1.0), antialias=True),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], 0.8),
        v2.RandomGrayscale(0.2),
        v2.RandomApply([v2.GaussianBlur(BLUR_SIZE, (LEAST_SIGMA, MOST_SIGMA))], 0.5),
        v2.RandomHorizontalFlip(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(MEAN, DEVIATION),
    ])


def open_pil(path):
    with Image.open(path) as image:
        return image.convert("RGB")


def open_tensor(path):
    return io.decode_jpeg(io.read_file(str(path)), io.ImageReadMode.RGB)


class TwoViewsOfFiles(Dataset):
    def __init__(self, paths, open_image, transform):
        self.paths, self.open_image, self.transform = paths, open_image, transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = self.open_image(self.paths[index])
        return self.transform(image), self.transform(image)


def make_loader(paths, on_tensors, side, batch, workers):
    how = (open_tensor, tensor_transform(side)) if on_tensors else (open_pil, pil_transform(side))
    dataset = TwoViewsOfFiles(paths, *how)
    return DataLoader(dataset, batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0)
