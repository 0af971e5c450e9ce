mod callbacks;
mod calls;
mod determinism;
mod journal;
mod personas;
mod scripts;
