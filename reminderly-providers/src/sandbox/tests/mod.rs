mod callbacks;
mod calls;
mod determinism;
mod personas;
mod scripts;
