//! Every code of a diagnostic, with its page: the one place from which `tongban explain CODE` and
//! the manual are made. A code never changes its meaning; codes that are given up are not reused.

mod chinese;

use std::fmt;

/// A code: `TB0101`.
#[derive(Clone, Copy)]
pub struct Code(&'static Page);

/// What is to be known about a code.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// `TB0101`.
    pub id: &'static str,
    /// The fault in a few words.
    pub title: &'static str,
    /// What it means, why it is refused, what to do.
    pub explanation: &'static str,
    /// A piece of a document that has it, with the repair in a comment where that is short.
    pub example: &'static str,
}

impl Page {
    /// Title and explanation in a language: Chinese for `zh` and its like, else English.
    #[must_use]
    pub fn said_in(&self, language: &str) -> (&'static str, &'static str) {
        let chinese = language.starts_with("zh").then(|| {
            let mut pages = chinese::PAGES.iter();
            pages.find(|(id, ..)| *id == self.id)
        });
        match chinese.flatten() {
            Some((_, title, explanation)) => (title, explanation),
            None => (self.title, self.explanation),
        }
    }
}

impl Code {
    /// `TB0101`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.0.id
    }

    /// Its page.
    #[must_use]
    pub fn page(self) -> &'static Page {
        self.0
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.id)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.id)
    }
}

/// The page of a code, in any case of letters, with or without `TB`.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Page> {
    let code = code.trim().to_ascii_uppercase();
    let digits = code.strip_prefix("TB").unwrap_or(&code);
    PAGES
        .iter()
        .copied()
        .find(|page| page.id.strip_prefix("TB") == Some(digits))
}

macro_rules! codes {
    ($($name:ident $id:literal $title:literal $explanation:literal $example:literal)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(&Page { id: $id, title: $title, explanation: $explanation, example: $example });
        )*
        /// Every page, in the order of the codes.
        pub static PAGES: &[&Page] = &[$($name.0),*];
    };
}

codes! {
    // Reading YAML.
    YAML_SYNTAX "TB0101" "the text is not valid YAML"
        "The YAML parser could not go on at this place. Usual causes are a tab used for indentation, a colon followed by a space \
        inside an unquoted text, an expression that is not quoted, or a bracket or quote that is never closed. Nothing behind \
        this place was read, so other faults may follow once it is repaired."
        "- ask: { call: approve, with: { to: ${ form.boss } } }   # quote it: '${ form.boss }'"
    DUPLICATE_KEY "TB0102" "a key stands twice in one object"
        "Every key of an object may be given once. Silently taking the last one would hide the first from its author, so both \
        are refused."
        "with: { method: get, method: post }"
    MANY_DOCUMENTS "TB0103" "more than one document in a file"
        "A file holds one workflow. A line `---` begins a new YAML document."
        "---"
    EMPTY "TB0104" "the document is empty"
        "A workflow needs at least the blocks `document` and `do`."
        "document: { dsl: '1.0.3', namespace: a, name: b, version: '0.1.0' }"
    TAG "TB0105" "YAML tags are not allowed"
        "Tags such as `!!binary` or `!mine` change how a value is read and are not part of the language."
        "set: { amount: !!str 5 }   # write '5'"
    MERGE_KEY "TB0106" "merge keys are not allowed"
        "`<<` was dropped from YAML 1.2. What repeats belongs under `use` (errors, retries, timeouts, functions) and is referred \
        to by name."
        "with: { <<: *common, method: get }"
    UNKNOWN_ALIAS "TB0107" "an alias without an anchor"
        "`*name` repeats the value that was marked `&name` earlier in the same document; there is none."
        "set: { text: *bold* }   # quote it"
    TOO_LARGE "TB0108" "the definition is too large"
        "A definition is read into memory whole and stays there while its instances run, so its size is bounded."
        "(a file of more than 2 MiB)"
    TOO_DEEP "TB0109" "the definition nests too deep"
        "Lists and objects may nest 100 deep, aliases expanded."
        "(more than 100 blocks inside each other)"
    TOO_MANY_VALUES "TB0110" "the definition holds too many values"
        "Aliases of aliases multiply: a few lines can stand for billions of values. A definition holds at most 250,000 after \
        expansion."
        "b: [*a, *a, *a, *a]"
    KEY_NOT_TEXT "TB0111" "a key is not a text"
        "Keys are texts. A list or an object as a key is usually an expression that was not quoted."
        "set: { value: { { x } } }"
    NUMBER_RANGE "TB0112" "a number is out of range"
        "Integers have 64 bits and floats are finite. Identity numbers, codes and telephone numbers are texts and must be \
        quoted."
        "set: { account: 622202100011223344556 }"
    NUL "TB0113" "a text holds the character NUL"
        "No database keeps the character U+0000 in a text."
        "set: { text: \"\\0\" }"
    FULL_WIDTH "TB0114" "punctuation of a Chinese keyboard"
        "A colon, comma, bracket or quotation mark that is typed with a Chinese input method is another character than the \
        plain one: YAML and the expressions take it for a letter. Inside of texts it may stand."
        "- ask： { call: approve }   # a plain colon: `- ask: `"
    SPACING "TB0115" "a space is missing behind a colon or a hyphen"
        "YAML reads `key:value` as one text and `-item` as a text that begins with a hyphen. The space behind the sign makes \
        the difference."
        "set: { amount:5 }   # amount: 5"
    ENCODING "TB0116" "a file that is not UTF-8"
        "Documents are UTF-8 text, with or without a byte order mark. Editors of Windows save Chinese text as GBK or UTF-16 \
        unless they are told otherwise."
        "(a file that was saved as GBK)"
    OTHER_LANGUAGE "TB0117" "a file of another language"
        "The file is a workflow of another tool (BPMN, GitHub Actions, Kestra, the DSL before 1.0 …), or another file of a pack. \
        It is told once as what it is, and not key by key. A workflow begins with `document` and `do`; its keys are English words."
        "states: [{ name: Office, type: operation }]   # do: [{ office: { call: … } }]"
    // The shape of the document.
    UNKNOWN_PROPERTY "TB0201" "a property that the language does not have"
        "The block has no such property. It may be misspelt, stand at the wrong depth, or belong to another kind of task. Own \
        notes go under `metadata` with a name that begins with `x-`."
        "with: { method: get, url: https://a.example }   # endpoint"
    MISSING_PROPERTY "TB0202" "a required property is missing"
        "The block cannot be understood without it."
        "document: { dsl: '1.0.3', namespace: a, name: b }   # version"
    WRONG_TYPE "TB0203" "a value of the wrong type"
        "The property takes another type of value. A version or a number that must be a text has to be quoted."
        "version: 1.0   # '1.0.0'"
    BAD_VALUE "TB0204" "a value that is not allowed here"
        "The property takes one of a few values, or a value of a certain form."
        "evaluate: { language: python }"
    WRONG_WRAPPER "TB0205" "a block has the wrong wrapper"
        "The content is right but stands under another name or at another depth than the language wants."
        "workflow: { document: …, do: … }   # no wrapper"
    DSL_VERSION "TB0206" "a version of the language that is not known"
        "This runtime understands the Serverless Workflow DSL 1.0.0 to 1.0.3."
        "document: { dsl: '0.8' }"
    BAD_NAME "TB0207" "a namespace or name that is not allowed"
        "Namespaces and names have 1 to 63 letters, digits and hyphens and begin and end with a letter or digit, so that they \
        fit into addresses and file names. Titles may be in any script."
        "name: 共享申请   # title: 共享申请"
    BAD_VERSION "TB0208" "a version that is not semantic"
        "Versions have the form major.minor.patch and are quoted."
        "version: '1.0'"
    BAD_URI "TB0209" "a text that is not a URI"
        "An address begins with a scheme such as `https://` or, for a file of the pack, `pack://`."
        "endpoint: api.example/v1"
    // Tasks and flow.
    NO_KIND "TB0301" "a task without a kind"
        "Every task has exactly one of the keywords call, do, emit, for, fork, listen, raise, run, set, switch, try, wait."
        "- ask: { with: { to: [applicant] } }   # call: approve"
    MANY_KINDS "TB0302" "a task with two kinds"
        "A task does one thing. Two keywords in one body are two tasks, or one stands at the wrong depth."
        "- ask: { call: approve, set: { a: 1 } }"
    MANY_TASKS "TB0303" "two tasks in one list item"
        "Each item of a task list is an object with one key, the task's name. A missing `- ` joins two tasks."
        "- a: { set: { x: 1 } }  b: …"
    NOT_A_TASK_LIST "TB0304" "tasks are not given as a list"
        "Tasks are a list of items `- name: { … }`, because their order matters."
        "do: { first: { set: { x: 1 } } }"
    DUPLICATE_TASK "TB0305" "two tasks of one scope have the same name"
        "A task is referred to by its name (`then`, `steps`, returns, history), which must be unique in its scope."
        "- check: …   # then again - check: …"
    UNKNOWN_TARGET "TB0306" "a flow directive names no task"
        "`then` takes `continue`, `exit`, `end` or the name of a task of the same scope."
        "then: grnat"
    OTHER_SCOPE "TB0307" "a flow directive leads into another scope"
        "The flow can only go to tasks of the same list; other depths are reached by entering or leaving their block."
        "then: leader   # inside the block `provider`"
    UNREACHABLE "TB0308" "a task that is never reached"
        "Every way ends or turns off before this task."
        "- done: { set: { a: 1 }, then: end }   # followed by a task nobody names"
    ENDLESS_LOOP "TB0309" "a loop without a wait and without a way out"
        "These tasks lead back to each other unconditionally and nothing in the circle waits. The engine stops such an instance \
        after 100,000 rounds."
        "- a: { set: { n: 1 }, then: a }"
    MANY_DEFAULTS "TB0310" "a switch with two defaults"
        "A case without `when` is the default; there can be one."
        "- a: { then: x }  - b: { then: y }"
    EMPTY_LIST "TB0311" "a list without tasks"
        "A list of tasks or cases holds at least one; an empty one does nothing."
        "do: []"
    TASK_NAME "TB0312" "a task name that cannot be referred to"
        "Names of tasks are identifiers in camelCase, so that `steps.name` can be written and paths can be read. The title for \
        people is `metadata.title`."
        "- approve/leader: …   # approveLeader"
    KEYWORD_NAME "TB0313" "a name that is a keyword of rhai"
        "`steps.case` or `form.until` cannot be written in rhai, where these words are keywords."
        "- match: …   # matching"
    SELF_CALL "TB0314" "a function that calls itself"
        "A function under `use.functions` must not reach itself: there is no end to its expansion."
        "functions: { ask: { call: ask } }"
    NO_DEFAULT "TB0315" "a switch that no case may match falls through"
        "No case needs to match, and the next task is the target of one of the cases: an input that nobody thought of takes that \
        way too. Give a default case or a `then`."
        "switch: [{ yes: { when: 'input.ok', then: grant } }]   # next task: grant"
    RESERVED_NAME "TB0316" "a task named like a directive"
        "`continue`, `exit` and `end` are words of `then`. A task of such a name can be run in its turn, but no `then` can lead \
        to it."
        "- end: { set: { outcome: granted } }   # then: end ends the workflow, it never goes here"
    // Expressions.
    EXPRESSION_SYNTAX "TB0401" "an expression that does not compile"
        "The place inside the expression is marked."
        "if: 'input.amount >'"
    UNMARKED "TB0402" "an expression that would stay a text"
        "Here only what stands in `${ … }` is evaluated; this text looks like an expression but would be passed on as it is."
        "set: { total: .amount * 2 }   # ${ .amount * 2 }"
    UNKNOWN_VARIABLE "TB0403" "a variable that does not exist"
        "Expressions see a fixed list of variables, and inside `for`, `foreach` and `catch` the ones named there."
        "if: $request.amount > 5   # $input"
    SINGLE_QUOTES "TB0404" "a text in single quotes"
        "In rhai `'x'` is one character, and jq has no single quotes. Texts stand in double quotes, in rhai also in backticks."
        "if: \"input.outcome == 'approved'\""
    UNKNOWN_STEP "TB0405" "a step that does not exist"
        "`steps.NAME` names a task of the same list before this one, or of a list around it."
        "${ steps.provdier.outcome }"
    STEP_LATER "TB0406" "a step that has not run yet"
        "The task stands after this one and nothing leads back from it, so its result is always empty here."
        "${ steps.decision.outcome }   # in a task before `decision`"
    STEP_UNSET "TB0407" "a step that may have been skipped"
        "The task is skipped under its `if`, or ways lead past it; its result can be empty here. Use `?.` and `??`, or test it."
        "${ steps.explain.data }   # steps.explain?.data"
    SECRET_MISPLACED "TB0408" "a secret where it would be kept or shown"
        "Secrets may stand in the arguments of calls that leave the machine, as a whole value or joined to a text. Everywhere \
        else their value could be stored, logged or compared."
        "set: { token: '${ $secrets.api }' }"
    UNKNOWN_SECRET "TB0409" "a secret that is not declared"
        "Every secret that a document uses is listed under `use.secrets`."
        "${ $secrets.apiKey }"
    NOT_HERE "TB0410" "a variable that is not known here"
        "`output` exists only after the task has run: in `output.as` and `export.as`. Before it there is `input`. A workflow's `input.from` knows `workflow`, `runtime` and `secrets` only; a task's `if` and `input.from` do not know `$input` yet (jq: `.`); a workflow's `output.as` knows no task."
        "with: { x: '${ output.x }' }"
    EXPORT_DROPS "TB0411" "an export that replaces the context"
        "`export.as` gives the whole new context; what it does not carry on is lost."
        "export: { as: '{ id: .id }' }   # '$context + { id: .id }'"
    EMPTY_EXPRESSION "TB0412" "an empty expression"
        "There is nothing between `${` and `}`."
        "if: '${ }'"
    UNCLOSED "TB0413" "an expression that is not closed"
        "`${` has no `}` of its own. Braces and quotes inside an expression must be balanced."
        "message: 'Hello ${ .name'"
    UNKNOWN_PARAMETER "TB0414" "a parameter that does not exist"
        "`params.NAME` names an entry of the pack's `rules/parameters.yaml`."
        "${ params.anwserDays }"
    UNKNOWN_FIELD "TB0415" "a field that the form does not have"
        "`form.NAME` names a property of the schema of the workflow's input. Every declared property is present, null \
        when empty; one that is not declared cannot be filled in by anybody."
        "${ form.resuorce }   # form.resource"
    UNKNOWN_RESULT "TB0416" "a property that the result does not have"
        "`steps.NAME` holds what the function gives; its signature lists the properties. When the task has an \
        `output.as`, that decides instead."
        "${ steps.review.outcom }   # steps.review.outcome"
    UTC_DATE "TB0417" "a date in the wrong zone"
        "`workflow.startedAt` is an instant in UTC; between midnight and eight it is still yesterday there. A date of law \
        or of a rule is the site's local date."
        "asOf: '${ workflow.startedAt.iso8601 }'   # workflow.startedOn"
    BY_POSITION "TB0418" "a branch's result read by its position"
        "The output of a fork is a list in the order of the branches, which changes when somebody adds one. Each branch's \
        result is `steps.BRANCH`."
        "'${ input[0].status }'   # steps.household.status"
    FOREIGN_WRAPPER "TB0419" "the mark of another tool's expressions"
        "An expression stands in `${ … }`, or bare where only an expression can stand. `{{ … }}` belongs to templates of mails, \
        `$( … )`, `<% … %>` and `${{ … }}` to other tools. Marks do not stand inside of each other."
        "set: { total: '{{ .amount }}' }   # '${ .amount }'"
    ASSIGNMENT "TB0420" "an assignment where a comparison is meant"
        "`=` sets a value in jq, and what comes out is never false; rhai's expressions have no assignment. Comparisons are \
        written `==`."
        "if: .amount = 5000   # .amount == 5000"
    UNKNOWN_METHOD "TB0421" "a function of rhai that does not exist"
        "The expression calls a function that neither rhai nor this platform has. It would fail when a case comes there."
        "if: 'form.rows.length() > 3'   # form.rows.len()"
    PLAIN_SECRET "TB0422" "a password that stands in the document"
        "Whoever reads the document, its history or its picture reads the password too. Declare a name under `use.secrets`, \
        let the administrator give its value, and name it where it is sent."
        "basic: { username: a, password: '123456' }   # password: '${ $secrets.housePassword }'"
    // Functions and their arguments.
    UNKNOWN_FUNCTION "TB0501" "a function that does not exist"
        "`call` names a function of the engine, of a plugin, or of `use.functions`."
        "call: aprove"
    UNKNOWN_ARGUMENT "TB0502" "an argument that the function does not take"
        "The function's signature has no such argument."
        "call: approve, with: { users: [] }   # to"
    MISSING_ARGUMENT "TB0503" "an argument that the function needs"
        "The function cannot be called without it."
        "call: approve, with: { title: x }   # to"
    BAD_ARGUMENT "TB0504" "an argument of the wrong form"
        "The argument's value does not fit the function's signature."
        "call: approve, with: { to: applicant }   # [applicant]"
    NO_ARGUMENTS "TB0505" "a call without `with`"
        "The function needs arguments, which stand under `with`."
        "call: http   # with: { method, endpoint }"
    // What a document refers to.
    UNKNOWN_REUSABLE "TB0601" "a name that `use` does not have"
        "Errors, retries, timeouts and authentications are referred to by the name that they have under `use`."
        "retry: slowly"
    UNKNOWN_FORM "TB0602" "a form that the pack does not have"
        "Forms are files under `forms/`; another pack's form is written `pack/forms/name.yaml`."
        "form: forms/aplication.yaml"
    UNKNOWN_REGISTER "TB0603" "a register that does not exist"
        "Registers are named by the `register` of their file, in this pack or in one it requires."
        "register: catalog"
    UNKNOWN_ROLE "TB0604" "a role that the pack does not have"
        "Roles are listed in `pack.yaml`."
        "to: [{ role: data-ofice, unit: bureau }]"
    UNKNOWN_RULE "TB0605" "a rule file that the pack does not have"
        "Rules are files under `rules/`, written `pack://rules/name.rhai`."
        "endpoint: pack://rules/eligible.rhai"
    UNKNOWN_TEMPLATE "TB0606" "a mail or notice template that does not exist"
        "Templates are files `mails/NAME.LANG.md` and `notices/NAME.LANG.md`; they are referred to without language and ending."
        "template: mails/granted.md"
    UNKNOWN_WORKFLOW "TB0607" "a workflow that does not exist"
        "Workflows are referred to as `namespace/name`."
        "workflow: sharing/aply"
    OUTSIDE_PACK "TB0608" "a path that leaves the pack"
        "Files are named relative to the pack, without `./`, `..` or a leading slash."
        "endpoint: pack://../secret.rhai"
    UNKNOWN_LEVEL "TB0609" "a level of units that does not exist"
        "Levels of the unit tree are listed in `levels` of pack.yaml: `unit(id, level)`, `unit.find` and `chain` name one of them."
        "call: unit.find, with: { under: bureau, level: strret }   # street"
    UNKNOWN_CODES "TB0610" "a code list that does not exist"
        "Code lists stand under `codes` in pack.yaml; another pack's list is written `pack/list`."
        "reasons: { rejected: refusals }   # refusal"
    UNKNOWN_MEMBER "TB0611" "a unit, a post, a group or a person that the organisation does not have"
        "Selectors name units, posts, groups and people by the ids of `config/organisation.yaml`, not by their titles. They are \
        held against the organisation where one is known: that of the site above the pack, or of `check --site DIR`."
        "to: [{ role: clerk, unit: polcie }]   # police"
    // Cases, clocks and people's work.
    UNKNOWN_METADATA "TB0701" "a key that our metadata does not have"
        "Keys of `metadata` are checked, because a misspelt clock would never ring. Own keys begin with `x-`."
        "metadata: { titel: 审批 }"
    BAD_DUE "TB0702" "a limit of time that is not understood"
        "`due` is one of workingDays, workingHours, days, hours, minutes with a number, or `date`."
        "due: { workdays: 5 }"
    BAD_NUMBER "TB0703" "a case number pattern that is not understood"
        "The pattern may hold {yyyy}, {mm}, {unit} and one {seq:n}; `none` gives no number."
        "number: 'GX{year}-{seq}'"
    IDLE_GROUND "TB0704" "a pause that stops no clock"
        "No clock around this task lists the ground in `stops`, so the pause changes nothing."
        "pauses: { ground: explanation }"
    TITLE_TWICE "TB0705" "a title given twice"
        "The step's title stands in `metadata.title`; `with.title` is another one."
        "metadata: { title: 审批 }, with: { title: 审批 }"
    BAD_RETURN "TB0706" "a return to a place that cannot be reached"
        "A case can be returned to a task passed in this list or in one around it, never into a parallel branch, a loop's \
        earlier round or a block that has ended."
        "return: { to: [household] }"
    REPEATED_EFFECT "TB0707" "a return runs an effect again"
        "Between the target of the return and this task something is written or sent; after a return it happens once more. Say \
        `metadata: { again: true }` there when that is meant."
        "return: { to: [resource] }"
    TIMEOUT_OVER_WORK "TB0708" "a calendar timeout over a person's step"
        "`timeout` runs in calendar time and faults the case. People's steps have `due` (working time) and `timeout: OUTCOME`."
        "- ask: { timeout: { after: { days: 3 } }, call: approve }"
    TIMEOUT_DECIDES "TB0709" "silence that counts as consent"
        "When nobody answers in time the case goes on as approved. That is lawful only where a rule says so."
        "timeout: approved"
    TOO_MANY_SIGNERS "TB0710" "more signers than a step can have"
        "A work item has at most 500 signers; wider rounds are a `batch` of cases."
        "to: [ …501 users… ]"
    UNKNOWN_OUTCOME "TB0711" "an outcome that the step does not have"
        "Outcomes are the ones listed in `outcomes`, `approved` and `rejected` when there is no list."
        "timeout: expired"
    FIGURES "TB0712" "a reviewer who may change a respondent's figures"
        "A form marked `x-figures: true` holds what the respondent answers for. Whoever reviews it returns it with his \
        reasons; only the respondent changes it."
        "call: approve, with: { to: [{ role: reviewer }], fields: { edit: [rows] } }   # return: { to: [collect] }"
    BAD_SELECTOR "TB0713" "a selector that is not understood"
        "A selector names people in one way: `user`, `role`, `post`, `head`, `members`, `group`, `identity`, `chain` or \
        `chosenBy`. `unit` narrows a role and is needed by a post. Two ways are two selectors of the list."
        "to: [{ user: li-na, role: leader }]   # [{ user: li-na }, { role: leader }]"
    UNDECIDED_SHARE "TB0714" "a vote without its measure"
        "`mode` count, share and weight decide by a number that `pass` gives."
        "mode: share   # pass: { share: 60 }"
    NUMBERLESS "TB0715" "a number that no case has"
        "Cases have a number when `metadata.case.number` gives its pattern. Without one `workflow.number` is empty, and what is \
        made of it (a key, a link, a letter) is the same for every case."
        "title: '${ \"Case \" + $workflow.number }'   # metadata: { case: { number: 'GX{yyyy}-{seq:5}' } }"
    NOBODY_REFUSES "TB0716" "a refusal that no person decides"
        "A machine never refuses a person: a case ends with an outcome of `metadata.case.refusals` only after a person decided with an \
        outcome marked `x-refusal: true`. No step of this workflow has such an outcome."
        "case: { refusals: [refused] }   # outcomes: { reject: { title: Reject, x-refusal: true } }"
    // Time.
    BAD_DURATION "TB0801" "a duration that is not understood"
        "A duration is an object of days, hours, minutes, seconds, milliseconds, or an ISO 8601 text such as PT15M."
        "wait: 15 minutes"
    ISO_IN_OBJECT "TB0802" "an ISO 8601 text inside a duration's object"
        "The object takes whole numbers. The text stands for the whole duration, without an object around it."
        "wait: { seconds: PT30S }   # wait: PT30S"
    BAD_CRON "TB0803" "a cron expression that is not understood"
        "Five fields: minute, hour, day of month, month, day of week (0 or 7 is Sunday)."
        "cron: '0 0 8 * * MON'"
    BAD_ZONE "TB0804" "a time zone that does not exist"
        "Zones have names of the IANA database."
        "timeZone: Beijing   # Asia/Shanghai"
    RETRY_FOREVER "TB0805" "a retry without a limit or a delay"
        "Without a limit the block is tried for ever, without a delay as fast as the machine can."
        "retry: { backoff: { constant: {} } }"
    SCHEDULE_CHOICE "TB0806" "a schedule with no or several triggers"
        "`schedule` has exactly one of every, cron, after, on."
        "schedule: { every: PT1H, cron: '0 * * * *' }"
    ZERO_DURATION "TB0807" "a duration that is zero, negative or too short"
        "Nothing would be waited for, so what is repeated or limited by it would run without a pause. A schedule starts a \
        workflow once a second at most."
        "schedule: { every: PT0S }"
    SWALLOWED "TB0808" "an error that is swallowed after its retries"
        "When the retries are used up, `do` of the `catch` is run. Without one the task ends as if nothing had happened: its \
        output is its input, and the case goes on."
        "catch: { retry: { limit: { attempt: { count: 3 } } } }   # do: [{ giveUp: { raise: … } }]"
    // Not supported.
    UNSUPPORTED_CALL "TB0901" "a call that this runtime does not perform"
        "`grpc`, `asyncapi`, `a2a` and `mcp` are part of the language but not of this runtime. It is refused rather than \
        ignored."
        "call: grpc"
    UNSUPPORTED_PROCESS "TB0902" "a process that the site does not allow"
        "Shell commands and containers run with the server's rights, so they are performed only where the site's configuration allows \
        them. Where it does not, they are refused when the workflow is checked, never ignored."
        "run: { shell: { command: ls } }"
    UNSUPPORTED_LANGUAGE "TB0903" "a script language that this runtime does not have"
        "Scripts are written in rhai."
        "script: { language: python, code: … }"
    UNSUPPORTED_CATALOG "TB0905" "a catalogue or a function outside the pack"
        "Functions of catalogues are files of the pack, `catalogs/CATALOGUE/functions/NAME/VERSION/function.yaml`, called \
        `NAME:VERSION@CATALOGUE`. Nothing is fetched from the network when a workflow is published: a catalogue or a function with another \
        address than `pack://…` is refused."
        "use: { catalogs: { global: { endpoint: https://a.example } } }   # pack://catalogs/global"
    UNSUPPORTED_FORMAT "TB0906" "a schema format that this runtime does not have"
        "Schemas are JSON Schema (`format: json`)."
        "schema: { format: avro, document: … }"
    UNSUPPORTED_RETURN "TB0908" "a process result that a workflow does not have"
        "A workflow that is run has an output, but no exit code and no error stream."
        "run: { workflow: { namespace: a, name: b, version: '1.0.0' }, return: stderr }"
    UNSUPPORTED_RESOURCE "TB0909" "a resource that lies outside the pack"
        "Scripts and schemas are read from the pack when it is published, never from the network."
        "source: { endpoint: https://a.example/x.rhai }"
    UNSUPPORTED_ARGUMENT "TB0910" "an argument that this runtime does not carry out"
        "`sign`, `chosenBy` and the `pause` of a batch are words of the platform whose meaning is not built yet. They are \
        refused, because a process that relies on them would do something else than it says."
        "with: { sign: true }"

    // Packs.
    PACK_HEAD "TB1001" "a pack's head that is missing or wrong"
        "Every pack begins with `pack.yaml`: its name, version, title, roles, rights, code lists and samples. A member that is unknown or of another kind is named with its path."
        "pack: sharing\nversion: 1.0.0\ntitle: { zh-CN: 信息资源共享, en: Sharing }"
    PACK_FORM "TB1002" "a form that is not a JSON Schema"
        "A form is a JSON Schema of 2020-12 with our `x-` keywords. A reference leads into the form itself (`#/$defs/person`); code lists that `x-code` names must exist in the pack or, as `pack/list`, in another one."
        "properties:\n  purpose: { type: string, x-code: purpose }"
    PACK_RULE "TB1003" "a rule that does not compile"
        "A `.rhai` file under `rules/` sees `input` and gives its last value. It is compiled when the pack is checked; the message of rhai is shown at its place."
        "let total = input.items.len();\ntotal"
    PACK_TEMPLATE "TB1004" "a mail or notice template that cannot be rendered"
        "A template has front matter with `subject` (mails) and a Markdown body with minijinja between `{{ }}`. It must exist in each language of the pack."
        "---\nsubject: 'Granted {{ data.resource }}'\n---\nDear {{ to.name }},"
    PACK_REGISTER "TB1005" "a register that is not understood"
        "A register names its key and its schema; alternatives, authority, rights and retention are checked when the pack is."
        "register: grants\ntitle: { zh-CN: 共享授权, en: Grants }\nkey: id\nschema: { type: object }"
    PACK_REFERENCE "TB1006" "something that the packs do not have"
        "A pack names another pack, register, sample file or workflow that is not there."
        "requires: { packs: { catalogue: '^1.0' } }"
    PACK_PARAMETERS "TB1007" "dated parameters that are not understood"
        "`rules/parameters.yaml` gives each parameter its values with the date from which they hold and their legal basis."
        "parameters:\n  answerDays: { title: 时限, unit: 工作日, values: [{ from: 2016-09-05, value: 10, basis: 《…》 }] }"
    PACK_SCENARIO "TB1008" "a scenario file that is not understood"
        "A `*.test.yaml` under `tests/` names one workflow or one rule and has `scenarios`. A member that is unknown or of another kind is named with its path; the members that are known are listed."
        "workflow: seal/apply\nnow: 2026-04-27T09:00:00+08:00\nscenarios:\n  - test: approved\n    start: { by: li-na, input: { purpose: testing } }\n    expect: { status: waiting }"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_ordered_and_explained() {
        assert!(
            PAGES.is_sorted_by(|a, b| a.id < b.id),
            "ascending and unique"
        );
        for page in PAGES {
            assert!(
                page.id.len() == 6 && page.explanation.len() > 20 && !page.example.is_empty(),
                "{}",
                page.id
            );
        }
        let english: Vec<&str> = PAGES.iter().map(|page| page.id).collect();
        let chinese: Vec<&str> = chinese::PAGES.iter().map(|(id, ..)| *id).collect();
        assert_eq!(english, chinese, "every page exists in both languages");
        for (id, title, explanation) in chinese::PAGES {
            let written = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(written(title) && written(explanation), "{id}");
        }
        assert_eq!(explain("tb0102").map(|page| page.id), Some("TB0102"));
        assert_eq!(explain("0102").map(|page| page.id), Some("TB0102"));
        assert!(explain("TB9999").is_none());
    }
}
