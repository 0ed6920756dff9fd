"""A state machine drawn, and what an execution did in it. Pure: values in, text out."""

from asl_engine.graph.mermaid import to_mermaid
from asl_engine.graph.overlay import Overlay, StateStatus, StateTally, overlay_of
from asl_engine.graph.svg import to_svg

__all__ = ["Overlay", "StateStatus", "StateTally", "overlay_of", "to_mermaid", "to_svg"]
