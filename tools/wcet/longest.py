# SPDX-License-Identifier: GPL-2.0-only
"""The longest path through code without loops.

Room: wcet. Two steps. bound() is the longest path of the control-flow graph, calls
included; on its way it meets every instruction that can be reached, and a back edge or a
recursion is a Fault. feasible() then takes the paths from the longest down and drops
those of which values.py proves that they can never be taken, until one is left that it
cannot disprove: never less than the truth, never more than bound().
"""
import heapq
from itertools import count

from program import Fault, Step
from values import State

NEVER = float("-inf")
VISITING = "visiting"
FINISHED = Step("ret", 0, [], None, None, ())


class Longest:
    """Longest paths in one Code. @stop: tells of an address whether paths end there."""

    PATIENCE = 400000       # steps that feasible() takes before it settles for bound()

    def __init__(self, code, stop=lambda addr: False):
        self.code, self.stop = code, stop
        self.rest = {}      # address -> instructions from there to the return, at most

    def step(self, addr):
        return FINISHED if self.stop(addr) else self.code.step(addr)

    def bound(self, start):
        """Depth first: an address has its figure when all that follow it have theirs."""
        stack = [start]
        while stack:
            addr = stack[-1]
            if addr not in self.rest:
                self.rest[addr] = VISITING
                stack += self._unvisited(addr)
                continue
            if self.rest[addr] is VISITING:
                self.rest[addr] = self._value(self.step(addr))
            stack.pop()
        return self.rest[start]

    def _unvisited(self, addr):
        """What follows. What is still being visited leads here: a loop."""
        needs = following(self.step(addr))
        for need in needs:
            if self.rest.get(need) is VISITING:
                raise Fault("loop", addr, "loops back to", need)
        return [need for need in needs if need not in self.rest]

    def _value(self, step):
        if step.kind == "end":
            return NEVER
        inside = self.rest[step.callee] if step.callee is not None else 0
        return step.weight + inside + max((self.rest[n] for n in step.nexts), default=0)

    def feasible(self, start):
        """(instructions, addresses) of the longest path that is not proven impossible."""
        order, patience = count(), self.PATIENCE
        heap = [(-self.bound(start), next(order), start, (), State(), 0, None)]
        seen = {}
        while heap and patience:
            patience -= 1
            _, _, addr, returns, state, done, trail = heapq.heappop(heap)
            if addr is None:
                return done, unwound(trail)
            key = (addr, returns, state.key())
            if seen.get(key, NEVER) >= done:
                continue
            seen[key] = done
            for entry in self._successors(addr, returns, state, done, trail):
                heapq.heappush(heap, (-entry[0], next(order), *entry[1:]))
        return self.rest[start], []

    def _successors(self, addr, returns, state, done, trail):
        step = self.step(addr)
        done, trail = done + step.weight, (addr, trail)
        for to, stack, after in outcomes(step, addr, returns, state):
            ahead = (self.rest[to] if to is not None else 0) + sum(self.rest[r] for r in stack)
            if after and ahead != NEVER:
                yield done + ahead, to, stack, after, done, trail


def following(step):
    return step.nexts + ([step.callee] if step.callee is not None else [])


def outcomes(step, addr, returns, state):
    """(address, return addresses, state or None) of each way to go on."""
    if step.kind == "end":
        return
    if len(step.nexts) == 2:
        for to, taken in zip(step.nexts, (False, True)):
            yield to, returns, state.branch(step.insns[0], taken) if step.insns else state
        return
    state = state.copy()
    for insn in step.insns or ():
        state.run(insn)
    if step.insns is None:
        state.forget_all()
    if step.kind == "ret":
        yield (returns[-1] if returns else None), returns[:-1], state
    elif step.kind == "call":
        yield step.callee, returns + (step.nexts[0],), state
    else:
        yield step.nexts[0], returns, state


def unwound(trail):
    path = []
    while trail:
        addr, trail = trail
        path.append(addr)
    return path[::-1]
