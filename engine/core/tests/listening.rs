//! Finding listeners: shapes and their values; and the hidden workflow of `schedule.on`.

mod runner;

use tongban_core::{
    Effect, Event, Filter, Instance, Program, RecordStatus, collector, compile, step,
};
use tongban_expr::{Value, value};

use crate::runner::surroundings::{Given, environment, program};

fn given() -> Given {
    Given::usual()
}

fn filters(program: &Program, input: Value) -> Vec<Filter> {
    let env = environment(&Value::Null);
    let taken =
        step(program, Instance::new("i"), Event::Start { input }, &env, 0).expect("it begins");
    let found = taken.effects.into_iter().find_map(|effect| match effect {
        Effect::Listen { filters, .. } => Some(filters),
        _ => None,
    });
    found.expect("it listens")
}

#[test]
fn an_event_finds_exactly_the_listener_that_expects_its_value() {
    let text = "
do:
  - hear:
      listen:
        to:
          one:
            with: { type: paid, data: '${ .amount > 0 }' }
            correlate: { order: { from: .data.order, expect: '${ .order }' }, first: { from: .subject } }
";
    let program = program(text, &given()).expect("a workflow");
    let env = environment(&Value::Null);
    let [shape] = program.shapes() else {
        unreachable!("one filter has one shape")
    };
    assert_eq!(shape.event_type.as_deref(), Some("paid"));
    let event = |order: i64, amount: i64| value!({"type": "paid", "data": {"order": order, "amount": amount}});
    let seven = filters(&program, value!({"order": 7}));
    let eight = filters(&program, value!({"order": 8}));
    assert_eq!(seven[0].shape, shape.id);
    assert_eq!(
        shape.value(&event(7, 1), &env).as_ref(),
        Some(&seven[0].value)
    );
    assert_eq!(
        shape.value(&event(8, 1), &env).as_ref(),
        Some(&eight[0].value)
    );
    assert_ne!(seven[0].value, eight[0].value);
    assert_eq!(
        shape.value(&event(7, 0), &env),
        None,
        "the condition on its data does not hold"
    );
    assert_eq!(shape.value(&value!({"type": "other"}), &env), None);
}

#[test]
fn what_depends_on_the_case_is_left_to_the_listener() {
    let text = "
do:
  - hear: { listen: { to: { any: [{ with: { type: a, subject: '${ $form.order }' } }, { with: { type: b } }] } } }
";
    let program = program(text, &given()).expect("a workflow");
    let env = environment(&Value::Null);
    let filters = filters(&program, value!({"order": "x"}));
    assert_eq!(program.shapes().len(), 2);
    let event = value!({"type": "a", "subject": "y"});
    let shape = program
        .shapes()
        .iter()
        .find(|shape| shape.id == filters[0].shape)
        .expect("its shape");
    assert_eq!(
        shape.value(&event, &env).as_deref(),
        Some(""),
        "it may fit: the listener looks again"
    );
    assert_eq!(filters[0].value, "");
}

#[test]
fn equal_filters_of_two_workflows_have_one_shape() {
    let text = "do: [{ hear: { listen: { to: { one: { with: { type: a } } } } } }]";
    let other = "do: [{ first: { set: { n: 1 } } }, { hears: { listen: { to: { all: [{ with: { type: a } }, { with: { type: b } }] } } } }]";
    let (one, two) = (
        program(text, &given()).expect("one"),
        program(other, &given()).expect("two"),
    );
    assert_eq!(one.shapes()[0].id, two.shapes()[0].id);
    assert_ne!(two.shapes()[0].id, two.shapes()[1].id);
}

#[test]
fn a_schedule_on_events_is_a_workflow_that_starts_and_listens_again() {
    let text = "
document: { dsl: '1.0.3', namespace: n, name: a, version: '1.0.0' }
schedule: { on: { all: [{ with: { type: a } }, { with: { type: b } }] } }
do: [{ none: { set: { n: 1 } } }]
";
    let definition = tongban_dsl::parse(text).definition.expect("a definition");
    let hidden = collector(&definition).expect("it has a schedule on events");
    let program = compile(&hidden, &given()).expect("it compiles");
    let env = environment(&Value::Null);
    let mut instance = step(
        &program,
        Instance::new("c"),
        Event::Start { input: Value::Null },
        &env,
        0,
    )
    .expect("it begins")
    .instance;
    for round in 1..4 {
        let run_id = if round == 1 {
            "events".to_owned()
        } else {
            format!("events#{round}")
        };
        let heard = |n: u32, kind: &str| Event::Heard {
            run_id: run_id.clone(),
            n,
            event: value!({"id": kind, "type": kind, "data": round}),
        };
        instance = step(&program, instance, heard(1, "b"), &env, 0)
            .expect("one")
            .instance;
        let taken = step(&program, instance, heard(0, "a"), &env, 0).expect("all");
        let Some(Effect::Child {
            name,
            input,
            awaited,
            ..
        }) = taken.effects.get(1)
        else {
            unreachable!("{:?}", taken.effects)
        };
        assert_eq!((name.as_str(), *awaited), ("a", false));
        assert_eq!(
            input.at("[0].id").and_then(Value::as_str),
            Some("b"),
            "in the order of coming: {input}"
        );
        assert_eq!(input.at("[1].data"), Some(&Value::from(round)));
        let begun = Event::Returned {
            run_id: run_id.replace("events", "start"),
            output: Value::Null,
        };
        let again = step(&program, taken.instance, begun, &env, 0).expect("it goes on");
        assert!(matches!(again.effects.as_slice(), [Effect::Listen { .. }]));
        instance = again.instance;
        assert_eq!(instance.live().len(), 1);
    }
    let plain = tongban_dsl::parse(&text.replace("schedule:", "x-none:"));
    assert!(
        plain
            .definition
            .is_none_or(|plain| collector(&plain).is_none())
    );
}

#[test]
fn the_records_of_a_listener_say_what_it_correlated() {
    let given = Given::usual();
    let text = "do: [{ l: { listen: { to: { one: { with: { type: t }, correlate: { pet: { from: '.data.pet' }, order: { from: '.data.order', expect: '${ .order }' } } } } } } }, { n: { listen: { to: { one: { with: { type: t } } } } } }]";
    let program = program(text, &given).expect("a workflow");
    let env = environment(&Value::Null);
    let start = Event::Start {
        input: tongban_expr::value!({"order": 7}),
    };
    let begun = step(&program, Instance::new("i"), start, &env, 0).expect("it begins");
    let of = |records: &[tongban_core::Record], path: &str| -> Vec<Option<Value>> {
        let of_task = records
            .iter()
            .filter(|record| record.path == path && record.status != RecordStatus::Heard);
        of_task.map(|record| record.correlation.clone()).collect()
    };
    assert_eq!(of(&begun.records, "l"), [Some(Value::Null)]);
    let event = tongban_expr::value!({"specversion": "1.0", "id": "e", "source": "s", "type": "t", "data": {"pet": "x", "order": 7}});
    let heard = Event::Heard {
        run_id: "l".into(),
        n: 0,
        event,
    };
    let taken = step(&program, begun.instance, heard, &env, 0).expect("it goes on");
    assert_eq!(
        of(&taken.records, "l"),
        [Some(tongban_expr::value!({"order": 7, "pet": "x"}))]
    );
    assert_eq!(of(&taken.records, "n"), [None]);
}

#[test]
fn the_record_of_a_switch_names_the_case_that_it_took() {
    let text = "do:
      - go: { for: { each: n, in: '[1, 2, 3, 4]' }, do: [{ way: { switch: [
          { one: { when: '$n == 1', then: continue } }, { two: { when: '$n == 2', then: continue } }, { other: { when: '$n == 3', then: continue } }] } }] }
      - last: { switch: [{ never: { when: 'false', then: end } }, { always: { then: continue } }] }";
    let program = program(text, &given()).expect("a workflow");
    let event = Event::Start {
        input: Value::object::<&str, Value>([]),
    };
    let taken = step(
        &program,
        Instance::new("i"),
        event,
        &environment(&Value::Null),
        0,
    )
    .expect("it begins");
    let chosen: Vec<Option<&str>> = taken
        .records
        .iter()
        .filter(|record| record.kind == "switch" && record.status == RecordStatus::Completed)
        .map(|record| record.note.as_deref())
        .collect();
    assert_eq!(
        chosen,
        [
            Some("one"),
            Some("two"),
            Some("other"),
            None,
            Some("always")
        ]
    );
}
