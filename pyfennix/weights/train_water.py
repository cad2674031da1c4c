# SPDX-License-Identifier: MIT
"""Train ``water-accurate`` on labelled frames, or distil ``water-fast`` from it.

    python -m pyfennix.weights.train_water accurate --data DIR --out DIR --minutes 75
    python -m pyfennix.weights.train_water fast --data DIR --out DIR --minutes 30 --teacher A.fnx

One pass of the clock, not of epochs: the learning rate follows the share of ``--minutes`` used,
so a busy machine trains less but always ends annealed. ``--resume`` continues from the last
checkpoint.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import smooth_l1_loss

from pyfennix.io.fnx import read_tree, write_tree
from pyfennix.models.fnx.checkpoint import load_fnx, save_fnx
from pyfennix.models.memory import keep_freed_memory
from pyfennix.weights.architecture import water_model
from pyfennix.weights.water_data import (
    Frame,
    collate,
    load_frames,
    perturbed,
    predict,
    split_by_run,
    stretched,
)

# Standard deviation of the stretches of O-H bonds that measure stiffness, Å: twice the thermal one
STRETCH = 0.06


def parse() -> argparse.Namespace:
    """Command line."""
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("level", choices=("accurate", "fast"))
    p.add_argument("--data", required=True, help="folder with so3lr_water.h5, so3lr_clusters.h5")
    p.add_argument("--out", required=True, help="folder for checkpoints and exports")
    p.add_argument("--minutes", type=float, default=75.0)
    p.add_argument("--teacher", help=".fnx whose energies and forces replace the labels")
    p.add_argument("--start", help=".fnx whose weights to start from")
    p.add_argument("--noise", type=float, default=0.0,
                   help="largest displacement (Å, per component) of frames relabelled by a teacher")
    p.add_argument("--stiffness", type=float, default=0.0,
                   help="weight of the teacher's change of force when O-H bonds are stretched")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--warmup", type=int, default=200, help="steps")
    p.add_argument("--boxes", type=int, default=2, help="periodic frames per step")
    p.add_argument("--clusters", type=int, default=6, help="clusters per step")
    p.add_argument("--energy-weight", type=float, default=5.0)
    p.add_argument("--virial-weight", type=float, default=1.0)
    p.add_argument("--ema", type=float, default=0.999)
    p.add_argument("--check-every", type=float, default=4.0, help="minutes between checkpoints")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--resume", action="store_true")
    return p.parse_args()


class Trainer:
    """Model, its running average, optimiser and clock."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.out = Path(args.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.model = water_model(args.level)
        self.average = water_model(args.level).requires_grad_(False)
        if args.start:
            self.model.load_state_dict(load_fnx(args.start).state_dict())
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=args.lr, weight_decay=1e-4)
        self.step, self.used = 0, 0.0

    def rate(self) -> float:
        """Linear warm-up by steps, then half a cosine by time, down to one per cent."""
        share = min(self.used / (60.0 * self.args.minutes), 1.0)
        decay = 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * share))
        return self.args.lr * decay * min(1.0, (self.step + 1) / self.args.warmup)

    def update(self, frames: list[Frame]) -> tuple[float, float]:
        """One step; returns the loss and the mean absolute force error in eV/Å."""
        args = self.args
        batch = collate(frames, self.model.cutoff)
        energy, forces, virials = predict(self.model, batch, create_graph=True)
        target = torch.cat([f.forces for f in frames])
        loss = smooth_l1_loss(forces, target, beta=0.05)
        if args.stiffness > 0:
            # The last half of the frames is the first half, stretched. The outer step sees what
            # the fast model misses; where motion is fast that must be small, or it resonates
            half = len(forces) // 2
            change, wanted_change = forces[half:] - forces[:half], target[half:] - target[:half]
            loss = loss + args.stiffness * smooth_l1_loss(change, wanted_change, beta=0.05)
        sizes = torch.tensor([float(f.n) for f in frames])
        wanted = torch.tensor([f.energy for f in frames])
        loss = loss + args.energy_weight * smooth_l1_loss(energy / sizes, wanted / sizes, beta=0.01)
        for frame, virial in zip(frames, virials, strict=True):
            if virial is not None:
                error = smooth_l1_loss(virial / frame.n, frame.virial / frame.n, beta=0.01)
                loss = loss + args.virial_weight * error / len(frames)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.optimizer.step()
        decay = min(args.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(now, 1.0 - decay)
        self.step += 1
        return float(loss.detach()), float((forces.detach() - target).abs().mean())

    def save(self) -> None:
        """Checkpoint (to resume) and export (the running average)."""
        names = [name for name, _ in self.model.named_parameters()]
        state = self.optimizer.state_dict()["state"]
        tree = {
            "step": self.step,
            "used": self.used,
            "model": {n: p.detach().numpy() for n, p in self.model.named_parameters()},
            "average": {n: p.numpy() for n, p in self.average.named_parameters()},
            "adam": {
                n: {k: np.asarray(v) for k, v in state[i].items()}
                for i, n in enumerate(names) if i in state
            },
        }
        write_tree(self.out / "checkpoint.msgpack", tree)
        about = {k: str(v) for k, v in vars(self.args).items() if k not in ("data", "out")}
        # names of files, never where they lay
        about |= {k: Path(about[k]).name for k in ("teacher", "start")}
        about["description"] = "liquid water; labels: SO3LR (MIT), PBE0+MBD quality"
        save_fnx(self.out / f"water-{self.args.level}.fnx", self.average, about)

    def resume(self) -> None:
        """Continue from the last checkpoint in ``--out``."""
        tree = read_tree(self.out / "checkpoint.msgpack")
        self.step, self.used = tree["step"], tree["used"]
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                p.copy_(torch.as_tensor(np.array(tree["model"][name])))
            for name, p in self.average.named_parameters():
                p.copy_(torch.as_tensor(np.array(tree["average"][name])))
        state = self.optimizer.state_dict()
        names = [name for name, _ in self.model.named_parameters()]
        state["state"] = {
            i: {k: torch.as_tensor(np.array(v)) for k, v in tree["adam"][n].items()}
            for i, n in enumerate(names) if n in tree["adam"]
        }
        self.optimizer.load_state_dict(state)


def errors(model, frames: list[Frame], relative: bool = False) -> dict[str, float]:
    """Force MAE and RMSE (meV/Å) and energy RMSE (meV/atom) over frames.

    ``relative`` leaves out the mean difference of the energies (another level's zero).
    """
    absolute = square = count = 0.0
    energies = []
    for frame in frames:
        batch = collate([frame], model.cutoff)
        energy, forces, _ = predict(model, batch, create_graph=False)
        difference = forces.detach() - frame.forces
        absolute += float(difference.abs().sum())
        square += float((difference**2).sum())
        count += difference.numel()
        energies.append((float(energy.detach()) - frame.energy) / frame.n)
    if relative:
        energies = np.array(energies) - np.mean(energies)
    return {"mae": 1e3 * absolute / count, "rmse": 1e3 * math.sqrt(square / count),
            "energy": 1e3 * float(np.sqrt(np.mean(np.square(energies))))}


def relabel(teacher, frames: list[Frame]) -> None:
    """Replace labels by the teacher's, in place."""
    for frame in frames:
        batch = collate([frame], teacher.cutoff)
        energy, forces, virials = predict(teacher, batch, create_graph=False)
        frame.energy, frame.forces = float(energy.detach()), forces.detach()
        frame.virial = None if virials[0] is None else virials[0].detach()
        frame.pairs = None


def start_bias(model, frames: list[Frame]) -> None:
    """Set the output biases so that the mean energy per atom is right from the first step."""
    sample = frames[:: max(1, len(frames) // 30)]
    gaps = []
    for frame in sample:
        energy = predict(model, collate([frame], model.cutoff), create_graph=False)[0]
        gaps.append((frame.energy - float(energy.detach())) / frame.n)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if ".nn_energies." in name and name.endswith("bias") and p.numel() == 1:
                p += float(np.median(gaps))


class Draw:
    """Endless shuffled drawing of frames from one list."""

    def __init__(self, frames: list[Frame], generator: np.random.Generator) -> None:
        self.frames, self.generator, self.queue = frames, generator, []

    def take(self, n: int) -> list[Frame]:
        """The next ``n`` frames."""
        while len(self.queue) < n:
            self.queue += self.generator.permutation(len(self.frames)).tolist()
        taken, self.queue = self.queue[:n], self.queue[n:]
        return [self.frames[i] for i in taken]


def train(args: argparse.Namespace) -> None:
    """The whole run."""
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    torch.manual_seed(args.seed)
    training, held = split_by_run(load_frames(args.data), 0.1, seed=0)
    boxes = [f for f in training if f.cell is not None]
    clusters = [f for f in training if f.cell is None]
    held_boxes = [f for f in held if f.cell is not None][::3]
    held_clusters = [f for f in held if f.cell is None]
    print(f"{len(boxes)} boxes, {len(clusters)} clusters; held out: every third of the boxes "
          f"({len(held_boxes)}), {len(held_clusters)} clusters", flush=True)
    trainer = Trainer(args)
    teacher = load_fnx(args.teacher) if args.teacher else None
    if teacher is not None:
        start = time.time()
        for group in (boxes, clusters, held_boxes, held_clusters):
            relabel(teacher, group)
        print(f"labelled by {args.teacher} in {time.time() - start:.0f} s", flush=True)
    if args.resume:
        trainer.resume()
    elif not args.start:
        start_bias(trainer.model, boxes + clusters)
        trainer.average.load_state_dict(trainer.model.state_dict())
    generator = np.random.default_rng(args.seed + trainer.step)
    noise = torch.Generator().manual_seed(args.seed + trainer.step)
    draw_box, draw_cluster = Draw(boxes, generator), Draw(clusters, generator)
    begin, offset, last_check = time.time(), trainer.used, trainer.used
    recent: list[tuple[float, float]] = []
    while trainer.used < 60.0 * args.minutes:
        frames = draw_box.take(args.boxes) + draw_cluster.take(args.clusters)
        if teacher is not None and args.noise > 0 and trainer.step % 4 == 0:
            sigma = args.noise * float(generator.uniform(0.25, 1.0))
            frames = [perturbed(f, sigma, noise) for f in frames]
            relabel(teacher, frames)
        if teacher is not None and args.stiffness > 0:
            stretches = [stretched(f, STRETCH, noise) for f in frames]
            relabel(teacher, stretches)
            frames = frames + stretches
        recent.append(trainer.update(frames))
        trainer.used = offset + time.time() - begin
        if trainer.step % 100 == 0:
            loss, mae = np.mean(recent, axis=0)
            recent = []
            print(f"step {trainer.step} {trainer.used / 60:.1f}/{args.minutes:.0f} min "
                  f"lr {trainer.rate():.1e} loss {loss:.4f} force MAE {1e3 * mae:.1f} meV/Å "
                  f"{1e3 * (time.time() - begin) / max(1, trainer.step):.0f} ms/step", flush=True)
        if trainer.used - last_check > 60.0 * args.check_every:
            last_check = trainer.used
            report(trainer, held_boxes[::4], held_clusters[::4])
    report(trainer, held_boxes, held_clusters)


def report(trainer: Trainer, boxes: list[Frame], clusters: list[Frame]) -> None:
    """Save, and print the errors of the running average on held-out runs."""
    trainer.save()
    box, cluster = errors(trainer.average, boxes), errors(trainer.average, clusters)
    print(f"held out at step {trainer.step}: boxes MAE {box['mae']:.1f} RMSE {box['rmse']:.1f} "
          f"meV/Å, energy {box['energy']:.2f} meV/atom; clusters MAE {cluster['mae']:.1f} RMSE "
          f"{cluster['rmse']:.1f}, energy {cluster['energy']:.2f}", flush=True)


if __name__ == "__main__":
    train(parse())
