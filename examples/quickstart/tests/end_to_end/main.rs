//! The program as a whole, judged by the files that it leaves behind.

#[cfg(test)]
mod all;
#[cfg(test)]
mod bad_usage;
#[cfg(test)]
mod bundled;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod explanations;
#[cfg(test)]
mod households;
#[cfg(test)]
mod internet;
#[cfg(test)]
mod own_files;
#[cfg(test)]
mod program;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod school;
#[cfg(test)]
mod second_file;
#[cfg(test)]
mod showings;
