//! Names (placeholder until the first landing).
