//! The node, step by step.
