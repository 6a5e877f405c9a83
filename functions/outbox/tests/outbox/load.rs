//! Many agents, and a Graph that fails in all ways.
