"""A recurrent layer (LSTM) with zoneout: at each step a unit keeps its old state with some probability.

Zoneout (Krueger et al. 2017, arXiv:1606.01305) acts inside the recurrence, where PyTorch's fused LSTM offers nothing. Here all
that does not depend on the previous step is computed for the whole window at once, the steps run in place, and the gradient is
written out: on a CPU this is faster than the fused layer. Rows of a mini-batch are the last axis, so that gates lie in one piece.
When forecasting, a state is the expectation over what zoneout does.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """One LSTM layer.

    Args:
        inputs: Values at each step.
        cells: Units.
        zoneout: Probability that a unit keeps its state for a step.
    """

    def __init__(self, inputs: int, cells: int, zoneout: float) -> None:
        super().__init__()
        self.cells = cells
        self.zoneout = zoneout
        # Gates in the order candidate, input, forget, output.
        self.inner = nn.Parameter(torch.empty(4 * cells, cells))
        self.outer = nn.Parameter(torch.empty(4 * cells, inputs))
        self.bias = nn.Parameter(torch.zeros(4 * cells))
        bound = 1 / math.sqrt(cells)
        nn.init.uniform_(self.inner, -bound, bound)
        nn.init.uniform_(self.outer, -bound, bound)
        with torch.no_grad():
            self.bias[2 * cells : 3 * cells] = 1.0  # remember at first (Jozefowicz et al. 2015)

    def window(self, inputs: Tensor, keep: Tensor | None) -> Tensor:
        """Outputs of a whole window from a zero state, with gradients: (T, cells, B).

        Args:
            inputs: (T, inputs, B).
            keep: (2, T, cells, B): 1 where a hidden or cell state is kept; None without zoneout.
        """
        found: Tensor = _Window.apply(inputs, self.outer, self.inner, self.bias, keep)
        return found

    def project(self, inputs: Tensor) -> Tensor:
        """What inputs (…, inputs, B) add to the gates: (…, 4 cells, B)."""
        return torch.matmul(self.outer, inputs).add_(self.bias[:, None])

    def step(self, projected: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """One step without gradients: the new hidden and cell state, each (cells, B).

        Args:
            projected: (4 cells, B) of `project`; overwritten.
        """
        size = self.cells
        gates = projected.addmm_(self.inner, hidden)
        gates[size:].sigmoid_()
        gates[:size].tanh_()
        candidate, gate_in, forget, gate_out = gates.view(4, size, -1).unbind(0)
        fresh = (forget * cell).addcmul_(gate_in, candidate)
        output = fresh.tanh().mul_(gate_out)
        if self.zoneout:
            output.lerp_(hidden, self.zoneout)
            fresh.lerp_(cell, self.zoneout)
        return output, fresh


class _Window(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, outer: Tensor, inner: Tensor, bias: Tensor, keep: Tensor | None
    ) -> Tensor:
        steps, _, rows = inputs.shape
        size = inner.shape[1]
        gates = torch.bmm(outer.expand(steps, -1, -1), inputs).add_(bias[:, None])
        # One more than there are steps: the state before the first.
        hidden = inputs.new_empty(steps + 1, size, rows)
        cell = inputs.new_empty(steps + 1, size, rows)
        bent = inputs.new_empty(steps, size, rows)
        h, c = hidden[0].zero_(), cell[0].zero_()
        split = gates.view(steps, 4, size, rows)
        candidates, ins, forgets, outs = (split[:, k].unbind(0) for k in range(4))
        all_gates, sigmoids = gates.unbind(0), gates[:, size:].unbind(0)
        next_h, next_c, bends = hidden[1:].unbind(0), cell[1:].unbind(0), bent.unbind(0)
        kept = None if keep is None else (keep[0].unbind(0), keep[1].unbind(0))
        for t in range(steps):
            all_gates[t].addmm_(inner, h)
            sigmoids[t].sigmoid_()
            candidate = candidates[t].tanh_()
            fresh = torch.mul(forgets[t], c, out=next_c[t]).addcmul_(ins[t], candidate)
            output = torch.mul(outs[t], torch.tanh(fresh, out=bends[t]), out=next_h[t])
            if kept is not None:
                output.lerp_(h, kept[0][t])
                fresh.lerp_(c, kept[1][t])
            h, c = output, fresh
        ctx.save_for_backward(inputs, outer, inner, gates, hidden, cell, bent, keep)
        return hidden[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, outer, inner, gates, hidden, cell, bent, keep = ctx.saved_tensors
        steps, size, rows = bent.shape
        candidate, gate_in, forget, gate_out = gates.view(steps, 4, size, rows).unbind(1)
        # How gates answer to the cell (first three) and to the output (the last), for all steps at once.
        slope = torch.empty_like(gates)
        slopes = slope.view(steps, 4, size, rows)
        torch.mul(gate_in, 1 - candidate * candidate, out=slopes[:, 0])
        torch.mul(candidate * gate_in, 1 - gate_in, out=slopes[:, 1])
        torch.mul(cell[:-1] * forget, 1 - forget, out=slopes[:, 2])
        torch.mul(bent * gate_out, 1 - gate_out, out=slopes[:, 3])
        through = gate_out * (1 - bent * bent)
        if keep is not None:
            swap = 1 - keep
            slopes[:, 3] *= swap[0]
            through *= swap[0]
            keep_h, keep_c, swap_c = keep[0].unbind(0), keep[1].unbind(0), swap[1].unbind(0)
        back = gradients[0].unbind(0)
        d_gates = torch.empty_like(gates)
        d_split = d_gates.view(steps, 4, size, rows)
        d_all, d_cells, d_outs = d_gates.unbind(0), d_split[:, :3].unbind(0), d_split[:, 3].unbind(0)
        by_cell, by_out = slopes[:, :3].unbind(0), slopes[:, 3].unbind(0)
        forgets, throughs, across = forget.unbind(0), through.unbind(0), inner.t().contiguous()
        d_hidden, d_cell, d_fresh = torch.zeros(3, size, rows).unbind(0)
        for t in range(steps - 1, -1, -1):
            d_hidden.add_(back[t])
            torch.mul(d_hidden, by_out[t], out=d_outs[t])
            if keep is None:
                d_cell.addcmul_(d_hidden, throughs[t])
                torch.mul(d_cell, by_cell[t], out=d_cells[t])
                d_cell.mul_(forgets[t])
                torch.mm(across, d_all[t], out=d_hidden)
            else:
                torch.mul(d_cell, swap_c[t], out=d_fresh).addcmul_(d_hidden, throughs[t])
                torch.mul(d_fresh, by_cell[t], out=d_cells[t])
                d_cell.mul_(keep_c[t]).addcmul_(d_fresh, forgets[t])
                d_hidden.mul_(keep_h[t]).addmm_(across, d_all[t])
        d_inputs = torch.bmm(outer.t().expand(steps, -1, -1), d_gates) if ctx.needs_input_grad[0] else None
        d_outer = torch.bmm(d_gates, inputs.transpose(1, 2)).sum(0)
        d_inner = torch.bmm(d_gates, hidden[:-1].transpose(1, 2)).sum(0)
        return d_inputs, d_outer, d_inner, d_gates.sum((0, 2)), None
