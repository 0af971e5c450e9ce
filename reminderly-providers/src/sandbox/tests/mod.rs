mod callbacks;
mod determinism;
mod personas;
mod scripts;
