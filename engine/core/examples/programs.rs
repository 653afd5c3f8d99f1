//! What programs cost: a definition of a thousand tasks read, checked and compiled, and the memory of 500 programs.
//! Run it with `cargo run --release -p tongban-core --example programs`.

use std::sync::Arc;
use std::time::Instant;

use tongban_core::{FunctionInfo, Kind, Program, Surroundings, compile};
use tongban_dsl::signatures::{self, Signature};
use tongban_dsl::{Definition, Reference};

const PROGRAMS: usize = 500;

/// All functions are there, and every file holds a script.
struct Everything;

impl Surroundings for Everything {
    fn function(&self, name: &str) -> Option<FunctionInfo> {
        let kind = match name {
            "approve" | "collect" | "notice" | "batch" => Kind::Work,
            _ if name.starts_with("register.") => Kind::Read,
            _ => Kind::Act,
        };
        Some(FunctionInfo {
            kind,
            late: Vec::new(),
        })
    }

    fn file(&self, path: &str) -> Option<Arc<str>> {
        let script = "let total = 0; for row in input.rows { total += row.amount; } #{total: total, ok: total < 100}";
        path.ends_with(".rhai").then(|| script.into())
    }
}

impl tongban_dsl::Surroundings for Everything {
    fn function(&self, name: &str) -> Option<Signature> {
        let own = signatures::engine().iter().find(|own| own.name == name);
        own.cloned().or_else(|| signatures::language(name))
    }

    fn function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn names(&self, _: Reference) -> Option<Vec<String>> {
        None
    }
}

/// Steps as people write them: values, conditions, decisions, loops.
fn tasks(tens: usize) -> String {
    let mut text = String::from(
        "document: { dsl: '1.0.3', namespace: programs, name: thousand, version: '1.0.0' }\ndo:\n",
    );
    for n in 0..tens {
        text.push_str(&format!(
            "  - a{n}: {{ set: {{ total: '${{ .total + {n} }}', name: '${{ \"case \\(.number)\" }}' }} }}
  - b{n}: {{ if: '${{ .total > {n} }}', set: {{ total: '${{ .total }}', late: '${{ [.rows[]?.amount] | add }}' }} }}
  - c{n}:
      switch:
        - high: {{ when: '${{ .total > 1000 and .late != null }}', then: e{n} }}
        - low: {{ then: continue }}
  - d{n}: {{ set: '${{ . + {{low: true}} }}', output: {{ as: '${{ {{total, low}} }}' }} }}
  - e{n}: {{ set: {{ total: '${{ .total }}' }}, export: {{ as: '${{ $context + {{seen: {n}}} }}' }} }}
  - f{n}:
      do:
        - g{n}: {{ set: {{ total: '${{ .total * 2 }}' }} }}
        - h{n}: {{ set: {{ total: '${{ .total / 2 }}' }} }}
        - i{n}: {{ set: {{ total: 1 }} }}
  - j{n}: {{ call: approve, with: {{ to: {{ role: clerk }}, title: '${{ \"step {n} of \\($workflow.id)\" }}' }} }}
"
        ));
    }
    text
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

fn read(text: &str) -> Definition {
    tongban_dsl::parse(text).definition.expect("a definition")
}

fn program(definition: &Definition) -> Program {
    compile(definition, &Everything).expect("a program")
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn main() {
    let text = tasks(100);
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..11 {
        let begin = Instant::now();
        let definition = read(&text);
        let parsed = begin.elapsed();
        std::hint::black_box(tongban_dsl::check(&definition, &Everything));
        let checked = begin.elapsed();
        std::hint::black_box(program(&definition));
        let compiled = begin.elapsed();
        for (part, time) in parts
            .iter_mut()
            .zip([parsed, checked - parsed, compiled - checked])
        {
            part.push(time.as_secs_f64() * 1e3);
        }
    }
    let [parsed, checked, compiled] = parts.map(median);
    let whole = parsed + checked + compiled;
    println!(
        "1,000 tasks, {} KiB: read {parsed:.1} ms, checked {checked:.1} ms, compiled {compiled:.1} ms, in all {whole:.1} ms",
        text.len() >> 10
    );

    // As they come in packs: 20 steps.
    let texts = [tasks(2)];
    let before = resident_bytes();
    let begin = Instant::now();
    let mut programs = Vec::with_capacity(PROGRAMS);
    for n in 0..PROGRAMS {
        // Every one of them is read anew: nothing is shared with its like.
        let text = texts.get(n % texts.len()).map_or("", String::as_str);
        programs.push(program(&read(text)));
    }
    let each = begin.elapsed().as_secs_f64() * 1e3 / PROGRAMS as f64;
    let grown = resident_bytes().saturating_sub(before);
    let tasks: usize = programs.iter().map(|program| program.paths().count()).sum();
    println!(
        "{} programs of {} kinds, {tasks} tasks: {:.1} MB, {each:.2} ms each",
        programs.len(),
        texts.len(),
        grown as f64 / 1e6
    );
}
