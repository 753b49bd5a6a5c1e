//! `man [--dir DIR]`: man pages, from the same tree as the help.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueHint;
use clap_mangen::Man;

use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;

/// Print the man page, or write those of all commands into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl man | man -l -" => "read the page of the program",
    "chatbotctl man --dir ~/.local/share/man/man1" => "install the pages of all commands"
))]
pub struct Args {
    /// Write one page for every command into this folder, made when absent
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Prints or writes the pages.
#[expect(clippy::unused_async, reason = "the table of commands awaits every command")]
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    match args.dir {
        None => ctx.out.result(&root_page((ctx.tree)()).map_err(|error| failure("make the man page", error))?)?,
        Some(dir) => {
            let what = format!("write man pages into `{}`", dir.display());
            write_pages((ctx.tree)(), &dir).map_err(|error| failure(&what, error))?;
            ctx.out.note(&format!("man pages are in {}", dir.display()));
        }
    }
    Ok(Exit::Good)
}

/// The page of the program.
fn root_page(tree: clap::Command) -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(tree).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// One page for every command.
fn write_pages(tree: clap::Command, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(tree, dir)
}

fn failure(what: &str, error: io::Error) -> Failure {
    Failure::new("man/unwritable", Exit::Usage, what, error.to_string())
        .fix("name a folder that can be written")
        .cause(error)
}
