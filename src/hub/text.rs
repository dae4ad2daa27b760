//! Text (placeholder until the first landing).
