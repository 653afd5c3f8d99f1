//! Every fixed text of the console, in Chinese and English, under one name each.
//!
//! A missing translation or a misspelt name does not compile. Places in braces are filled by
//! [`fill`].

macro_rules! words {
    ($($name:ident: $chinese:literal, $english:literal;)*) => {
        /// The fixed texts of the console in one language.
        #[derive(Debug)]
        pub struct Words { $(pub $name: &'static str,)* }
        /// The texts in simplified Chinese.
        pub static CHINESE: Words = Words { $($name: $chinese,)* };
        /// The texts in English.
        pub static ENGLISH: Words = Words { $($name: $english,)* };
        #[cfg(test)]
        const PAIRS: &[(&str, &str, &str)] = &[$((stringify!($name), $chinese, $english),)*];
    };
}

/// Puts values into the `{places}` of a text.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((place, tail)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(name, _)| *name == place) {
            Some((_, value)) => filled.push_str(value),
            None => {
                filled.push('{');
                filled.push_str(place);
                filled.push('}');
            }
        }
        rest = tail;
    }
    filled.push_str(rest);
    filled
}

words! {
    // The frame of every page.
    product: "通办", "Tongban";
    tagline: "部门之间的事，一条线办完", "Work between departments, from start to finish";
    colon: "：", ": ";
    skip: "跳到主要内容", "Skip to main content";
    navigation: "主导航", "Main navigation";
    inbox: "待办事项", "Inbox";
    my_cases: "我的办件", "My applications";
    start: "发起申请", "Start";
    notices: "公示", "Public notices";
    mailbox: "演示邮箱", "Demo mailbox";
    sign_in: "登录", "Sign in";
    sign_out: "退出登录", "Sign out";
    signed_in_as: "当前用户", "Signed in as";
    help: "需要帮助请联系本单位系统管理员", "For help, ask the administrator of your unit";
    demo_notice: "演示环境：数据均为虚构", "Demonstration: all data here are invented";
    demo_people: "演示账号（密码均为 {password}）", "People of the demonstration (everybody's password is {password})";
    error_prefix: "错误：", "Error: ";
    next_page: "下一页", "Next page";
    nothing_here: "暂无内容", "Nothing here yet";
    nobody_said: "还没有人办理。", "Nobody has decided yet.";
    yes: "是", "Yes";
    no: "否", "No";
    not_given: "未填写", "Not given";
    optional: "（选填）", "(optional)";
    choose_one: "请选择", "Choose";
    print: "可以用浏览器的打印功能打印本页", "Print this page with your browser";
    details: "详情", "Details";

    // Signing in.
    user_name: "用户名", "User name";
    password: "密码", "Password";
    sign_in_wrong: "用户名或密码不正确，请核对后再试", "The user name or the password is wrong: check both and try again";
    sign_in_slow: "登录尝试过多，请在 {seconds} 秒后再试", "Too many attempts: try again in {seconds} seconds";
    sign_in_first: "请先登录", "Sign in to go on";
    signed_out: "您已退出登录", "You are signed out";
    session_stale: "页面已过期，请重新打开后再提交", "This page is too old to be sent: open it again";

    // The inbox.
    to_do: "待办", "To do";
    done: "已办", "Done";
    to_do_count: "共有 {n} 件待办", "{n} to do";
    case_number: "办件编号", "Number";
    task: "环节", "Task";
    due: "办理时限", "Due";
    no_due: "无时限", "No time limit";
    overdue: "已超时", "Overdue";
    day_of_week: "{date}（{day}）", "{day} {date}";
    monday: "周一", "Mon";
    tuesday: "周二", "Tue";
    wednesday: "周三", "Wed";
    thursday: "周四", "Thu";
    friday: "周五", "Fri";
    saturday: "周六", "Sat";
    sunday: "周日", "Sun";
    days_left: "还剩 {n} 个工作日", "{n} working days left";
    due_today: "今天到期", "due today";
    days_over: "已超时 {n} 个工作日", "{n} working days over";
    provisional: "暂定（节假日安排公布后可能调整）", "provisional, until the holidays of that year are published";
    received: "收到时间", "Received";
    decided_at: "办理时间", "Decided";
    claimed_by: "由 {name} 认领", "Claimed by {name}";
    find_step: "环节", "Step";
    every_step: "全部环节", "Every step";
    find_text: "标题或编号", "Title or number";
    inbox_none_found: "没有符合条件的待办事项。", "Nothing that waits for you fits this.";
    show_all: "显示全部", "Show everything";
    mark_item: "选择 {title}", "Select {title}";
    mark_all: "全选本页", "Select all on this page";
    together: "一起办理所选事项", "Handle the selected together";
    together_help: "选择同一环节的事项，可以一起办理。", "Select items of one step to handle them together.";
    bulk_title: "一起办理", "Handle together";
    bulk_items: "所选事项", "Selected items";
    bulk_help: "同一结论和意见将分别记入每一件。请先逐件查看内容，不需要一起办理的可以取消选择。", "The same outcome and comment are recorded on each item. Look at each one first; take out what you do not want to handle together.";
    bulk_none: "请先选择要一起办理的事项", "Select the items first";
    bulk_mixed: "所选事项不属于同一环节，请回到待办事项重新选择", "The selected items are not of one step: go back to the inbox and select again";
    bulk_submit: "提交所选事项的办理意见", "Submit the decision on the selected items";
    bulk_hand: "把所选事项转办给他人", "Hand the selected items over";
    bulk_all_done: "已办理 {done} 件", "{done} done";
    bulk_some_done: "已办理 {done} 件，{left} 件未办理", "{done} done, {left} not done";
    bulk_not_done: "未办理", "Not done";
    back_to_inbox: "返回待办事项", "Back to the inbox";
    inbox_empty: "没有待办事项。新的事项会出现在这里，并发送邮件提醒。", "Nothing waits for you. New items appear here and are announced by mail.";
    done_empty: "还没有办理过事项。", "You have not decided anything yet.";
    card_blue: "蓝牌提醒", "Blue card: reminder";
    card_yellow: "黄牌警告", "Yellow card: warning";
    card_red: "红牌超时", "Red card: overdue";

    // A work item.
    ask_decide: "请您作出决定", "Your decision is asked";
    ask_opinion: "请您提供意见，决定由委派人作出", "Your opinion is asked; who asked you decides";
    ask_submit: "请您填写", "Please fill in";
    ask_resubmit: "请您修改后重新提交", "Please correct and send again";
    ask_correct: "请您补齐材料后提交", "Please complete what is missing";
    go_there: "去办理", "Go to the form";
    suspended_item: "办件已暂停，恢复后才能办理", "The case is suspended: nothing can be decided before it goes on";
    with_whom: "等待 {names} 办理", "Waiting for {names}";
    and_more: "等 {n} 人", "and {n} in all";
    later_steps: "后续环节（视办理结果而定）", "Steps that may follow";
    task_resubmit: "修改后重新提交", "Correct and send again";
    task_correct: "补正", "Complete what is missing";
    missing_items: "需要补正的内容", "What is missing";
    said_return: "退回修改", "returned for correction";
    said_correct: "通知补正", "asked for what is missing";
    said_resubmitted: "重新提交", "sent again";
    said_corrected: "提交补正", "completed what was missing";
    said_opinion: "提供意见", "gave an opinion";
    said_withdrawn: "撤回意见", "took the decision back";
    said_submitted: "提交", "submitted";
    by_machine: "系统", "the system";
    hand_on: "转办、征求意见、加签", "Hand over, ask for an opinion, add a signer";
    hand_to: "人员（姓名或账号）", "Person (name or account)";
    hand_missing: "请填写一位在职人员的姓名或账号", "Name somebody who works here";
    hand_several: "有多位同名人员，请填写账号：{ids}", "Several people have this name, give the account: {ids}";
    hand_transfer: "转办：由其代替我办理", "Hand over: they decide in my place";
    hand_delegate: "征求意见：其提供意见后由我决定", "Ask for an opinion: I decide afterwards";
    hand_before: "前加签：其先于我办理", "Add before me: they decide first";
    hand_after: "后加签：其在我之后办理", "Add after me: they decide after me";
    hand_beside: "并加签：与我同时办理", "Add beside me: they decide at the same time";
    hand_way: "办理方式", "How";
    hand_way_missing: "请选择办理方式", "Choose how";
    hand_submit: "确定", "Confirm";
    handed_saved: "已转交", "Handed on";
    unfit_person: "该人员不能参与本环节：{why}", "This person cannot take part here: {why}";
    unfit_applicant: "是申请人本人", "is the applicant";
    unfit_in_it: "已在本环节办理人员中", "takes part in it already";
    unfit_decided: "已办理过本环节", "has decided already";
    remove_signer: "减签：{name}", "Take out {name}";
    application: "申请内容", "The application";
    changed_since: "与上次提交的差异", "What changed since the last submission";
    before: "修改前", "Before";
    after: "修改后", "After";
    field: "字段", "Field";
    decision: "办理意见", "Your decision";
    outcome: "结论", "Outcome";
    outcome_approved: "同意", "Agree";
    outcome_rejected: "不同意", "Do not agree";
    outcome_missing: "请选择一个结论", "Choose an outcome";
    comment: "意见", "Comment";
    phrase: "常用语", "Something you often say";
    phrase_help: "取自您以往的意见，将写在意见之前。", "From your own earlier comments; it goes before the comment.";
    phrase_none: "不使用", "None of these";
    comment_required: "意见（必填）", "Comment (needed)";
    comment_needed_for: "选择「{outcomes}」时须填写意见", "A comment is needed for: {outcomes}";
    reason: "理由", "Reason";
    reason_missing: "请选择理由", "Choose a reason";
    submit_decision: "提交办理意见", "Submit the decision";
    submit_answer: "提交", "Submit";
    claim: "认领", "Claim";
    claim_help: "本事项由多人共同负责，认领后由您办理。", "Several people share this item: claim it to handle it yourself.";
    unclaim: "取消认领", "Give it back";
    return_title: "退回", "Return";
    return_to: "退回到", "Return to";
    return_to_missing: "请选择退回到哪一步", "Choose where to return it";
    return_resume: "修改后", "After the correction";
    resume_direct: "直接送回本环节", "come straight back to this step";
    resume_rerun: "重新逐级审核", "go through every step again";
    return_fields: "需要修改的内容（可多选，并写明原因）", "What must be corrected (mark each and say why)";
    return_fields_missing: "请至少写明一项需要修改的内容或填写意见", "Mark at least one field with a reason, or write a comment";
    return_submit: "退回修改", "Return for correction";
    correct_title: "通知补正", "Ask for missing items";
    correct_help: "一次性告知全部需要补正的内容，补正期间停止计时。", "Say everything that is missing at once; the clock stands still until the applicant answers.";
    correct_items: "需要补正的内容（每行一项）", "What is missing (one a line)";
    correct_missing: "请写明需要补正的内容", "Say what is missing";
    correct_submit: "发出补正通知", "Send the request";
    applicant: "申请人", "the applicant";
    previous_step: "上一环节", "the previous step";
    closed_item: "本事项已办结", "This item is closed";
    decided_by: "{name} 已于 {time} 办理：{outcome}", "Already decided by {name} on {time}: {outcome}";
    self_approval: "不能审批本人提交的申请", "Nobody decides their own application";
    statement: "情况说明", "Statement";
    statement_missing: "表单中有提示项，请填写情况说明后再提交", "The form has warnings: say in a statement why it is right";
    see_case: "查看办件全部信息", "See the whole case";
    item_moved: "本事项已有变化，请按最新内容办理", "This item has changed meanwhile: look at it again before you decide";
    your_decision_saved: "您的办理意见已提交", "Your decision is recorded";
    comment_saved: "已补充意见", "Your comment is recorded";
    returned_saved: "已退回", "Returned";
    corrected_saved: "补正通知已发出", "The request was sent";
    claimed_saved: "已认领", "Claimed";
    unclaimed_saved: "已取消认领", "Given back";
    add_comment: "补充意见", "Add a comment";
    withdraw_decision: "撤回办理意见", "Take the decision back";
    withdrawn_saved: "已撤回", "Taken back";
    decisions: "办理记录", "Decisions";
    round: "第 {n} 轮", "Round {n}";
    kept_decision: "沿用此前意见", "kept from an earlier round";
    person: "人员", "Person";
    when: "时间", "When";
    on_behalf: "代 {name}", "for {name}";

    // Correcting and resubmitting.
    correct_your_form: "请修改后重新提交", "Correct the application and send it again";
    returned_because: "退回原因", "Why it was returned";
    marked_by_reviewer: "审核人要求修改：{reason}", "The reviewer asks: {reason}";
    resubmit: "重新提交申请", "Send it again";
    resubmitted: "已重新提交", "Sent again";
    withdraw_case: "撤回申请", "Withdraw the application";
    withdraw_case_help: "撤回后本办件即告结束，需要时可重新申请。", "The case ends when you withdraw it; you can apply again.";

    // What the engine refuses.
    refused_unknown: "事项不存在，或您无权办理", "There is no such item, or none for you";
    refused_agent: "您目前不能代 {name} 办理", "You do not act for {name} now";
    refused_waiting: "本事项正在等待：{what}", "The item waits for: {what}";
    refused_voted: "每人只能表决一次", "One person votes once";
    refused_outcome: "本环节没有这个结论", "This step has no such outcome";
    refused_field: "本环节不能修改此项，需要修改请退回", "This field may not be changed in this step: return the form instead";
    refused_form: "填写内容有误，请打开该事项逐项更正", "The form has faults: open the item and correct them";
    refused_returned: "已达到允许退回的次数", "It was returned as often as it may be";
    refused_corrected: "补正通知已发出过，不能再次发出", "What is missing was asked for already and is asked for once";
    refused_urge: "已多次催办，不能再催", "Reminded as often as it may be";
    refused_urge_until: "刚刚催办过，{time} 后可再次催办", "Reminded a moment ago: possible again after {time}";
    refused_late: "后续环节已经办理，不能撤回", "Others have gone on from it: too late to take it back";
    refused_signers: "办理人员已达上限", "The item has as many signers as it may have";
    wait_opinion: "他人的意见", "somebody's opinion";
    wait_turn: "前一位办理人", "the signer before";

    // One's own absence.
    absence: "离岗与代理", "Absence";
    absence_help: "离岗期间，您的待办事项同时由代理人办理，办理记录写明「代」。", "While you are away your agent has your work too; the record says for whom it was decided.";
    absence_own: "您设置的离岗", "Your absences";
    absence_new: "设置离岗", "Say that you are away";
    absence_first: "第一天", "First day";
    absence_last: "最后一天", "Last day";
    absence_last_help: "不填则到您结束为止。", "Left empty, it lasts until you end it.";
    absence_agent: "代理人", "Agent";
    absence_agent_hint: "（姓名或账号）", " (name or account)";
    absence_of: "适用流程", "For";
    absence_all: "全部流程", "All processes";
    absence_save: "保存", "Save";
    absence_end: "结束", "End it";
    absence_days: "{from} 至 {to}", "{from} to {to}";
    absence_from: "{from} 起", "from {from}";
    absence_set: "管理员为您设置的代理人：{name}", "Set by an administrator, your agent: {name}";
    absence_acts: "您代理：{name}", "You act for {name}";
    absence_saved: "离岗已设置", "Your absence is set";
    absence_ended: "离岗已结束", "Your absence has ended";
    absence_day_missing: "请填写日期，例如 2026-11-25", "Give a date such as 2026-11-25";
    absence_days_wrong: "最后一天不能早于第一天，也不能早于今天", "The last day is not before the first one, and not before today";
    absence_agent_wrong: "代理人应为本人以外的在职人员", "The agent is somebody else who works here";
    absence_overlaps: "与您已设置的离岗时间重叠，请先结束原有设置", "It overlaps an absence that you have set: end that one first";
    absence_many: "离岗设置过多，请先结束一些", "There are too many absences: end some of them first";

    // Drafts.
    drafts: "未提交的草稿", "Drafts not sent";
    save_draft: "保存草稿", "Save as a draft";
    discard_draft: "删除草稿", "Delete the draft";
    draft_saved: "草稿已保存，可随时继续填写。草稿保留 90 天。", "The draft is saved: go on with it whenever you like. It is kept for 90 days.";
    draft_discarded: "草稿已删除", "The draft is deleted";
    draft_saved_at: "保存于 {time}", "Saved {time}";
    draft_shown: "以下是您于 {time} 保存的草稿，尚未提交。", "This is the draft that you saved on {time}; it is not sent yet.";

    // Starting.
    start_summary: "填写后可先核对，确认前不会提交。", "You can check your answers before anything is sent.";
    start_title: "可以发起的事项", "What you can start";
    start_empty: "您还没有可以发起的事项。如需开通，请联系本单位系统管理员。", "You may not start anything yet. Ask the administrator of your unit.";
    check_answers: "核对填写内容", "Check your answers";
    check_help: "请核对以下内容。确认前不会提交。", "Look through your answers. Nothing is sent before you confirm.";
    go_on: "下一步：核对", "Continue: check your answers";
    change_answers: "修改", "Change";
    submit_application: "提交申请", "Submit the application";
    submitted: "申请已提交", "Application submitted";
    your_number: "您的办件编号", "Your number";
    what_next: "接下来", "What happens next";
    next_steps: "办件已进入「{task}」环节。每次有进展，系统会发送邮件并在「我的办件」中更新。", "The case is now at “{task}”. You will hear by mail, and “My applications” shows its progress.";
    next_done: "办件已办结，结果见办件页面。", "The case is already finished: its page has the result.";
    expected_by: "预计最迟办结日期：{date}", "To be answered by {date} at the latest";
    step_expected_by: "本环节最迟办理日期：{date}", "This step is to be done by {date} at the latest";
    open_case: "查看办件", "Open the case";
    already_open: "同一事项已有在办的办件，不能重复申请", "The same matter is already open: it cannot be applied for twice";
    add_row: "增加一行", "Add a row";
    remove_row: "删除第 {n} 行", "Remove row {n}";
    row: "第 {n} 行", "Row {n}";
    one_a_line: "每行一项", "One a line";
    refresh_choices: "更新可选项", "Update the choices";
    nothing_to_choose: "目前没有可选的内容", "There is nothing to choose now";
    choose_first: "请先选择上面的内容，再点「更新可选项」", "Choose above first, then update the choices";
    files_help: "请填写附件的文号或存放地址，每行一个", "Give each document's number or address, one a line";
    signature_help: "请输入本人姓名以示确认（不是电子签名）", "Type your full name to confirm (this is no electronic signature)";

    // Faults in a form.
    faults_title: "请更正以下问题", "There is a problem";
    fault_required: "请填写{field}", "Enter {field}";
    fault_choose: "请选择{field}", "Choose {field}";
    fault_number: "{field}应为数字，例如 12", "{field} must be a number, such as 12";
    fault_integer: "{field}应为整数，例如 12", "{field} must be a whole number, such as 12";
    fault_date: "{field}应为日期，例如 2026-11-23", "{field} must be a date, such as 2026-11-23";
    fault_not_offered: "{field}：请从列出的选项中选择", "{field}: choose one of the values in the list";
    fault_other: "{field}：{message}", "{field}: {message}";

    // A case.
    status: "状态", "Status";
    status_running: "办理中", "In progress";
    status_waiting: "办理中", "In progress";
    status_suspended: "已暂停", "Suspended";
    status_completed: "已办结", "Finished";
    status_faulted: "异常，待处理", "Stopped by a fault";
    status_cancelled: "已撤回", "Withdrawn";
    started: "发起时间", "Started";
    ended: "办结时间", "Finished";
    starter: "申请人", "Applicant";
    unit: "单位", "Unit";
    workflow: "流程", "Process";
    diagram: "流程图", "Diagram";
    outline: "文字步骤", "Steps in words";
    mark_done: "已完成", "done";
    mark_doing: "进行中", "in progress";
    mark_not_reached: "未到达", "not reached";
    mark_skipped: "已跳过", "skipped";
    mark_failed: "出错", "failed";
    history: "办理历史", "History";
    clocks: "时限", "Time limits";
    clock_basis: "依据", "Legal basis";
    clock_explained: "时限怎样算出", "How the deadline came about";
    clock_stopped: "已停止计时：{ground}", "Standing still: {ground}";
    clock_case: "办件时限", "The whole case";
    clock_used: "已用 {used}，共 {all}", "{used} used of {all}";
    working_days: "{n} 个工作日", "{n} working days";
    working_hours: "{n} 个工作小时", "{n} working hours";
    days: "{n} 天", "{n} days";
    hours: "{n} 小时", "{n} hours";
    minutes: "{n} 分钟", "{n} minutes";
    ground_correction: "补正", "correction";
    ground_notice: "公示", "public notice";
    ground_explanation: "申请人说明", "explanation by the applicant";
    ground_appraisal: "鉴定", "appraisal";
    ground_hearing: "听证", "hearing";
    ground_suspended: "挂起", "suspension";
    ground_batch: "等待同批办件", "waiting for the batch";
    now_at: "目前进展", "Where it stands";
    now_waiting: "等待 {names}", "waiting for {names}";
    history_help: "系统记录的每一步，供核查使用。", "Every step that the system recorded, for checking.";
    open_diagram: "在新页面打开流程图", "Open the diagram on a page of its own";
    mark_began: "开始", "began";
    mark_returned: "退回", "returned";
    more_data: "数据", "Data";
    masked_help: "部分个人信息已遮盖。", "Some personal data are masked.";
    reveal: "显示完整信息", "Show in full";
    reveal_reason: "查看理由（必填，查看将留痕）", "Reason (needed; looking leaves a trace)";
    revealed: "以下为完整信息，本次查看已记录。", "Shown in full; that you looked is recorded.";
    result: "办理结果", "Result";
    fault: "异常信息", "Fault";
    cases_empty: "您还没有发起过申请。", "You have not started anything yet.";
    cases_none_found: "没有符合条件的办件。", "No case fits this.";
    all_cases: "全部可见办件", "All cases that I may see";
    filter: "筛选", "Filter";
    any_status: "全部状态", "Any status";
    more_actions: "其他操作", "Other actions";
    notices_help: "正在公示的事项。对公示内容有异议的，可以打开公示后提出。", "What is made public now. Open a notice to object to it.";
    notices_empty: "现在没有正在公示的事项。", "Nothing is made public now.";
    notices_none_found: "没有符合条件的公示。", "No notice fits this.";
    notice_period: "公示期：{from} 至 {to}", "Public from {from} to {to}";
    notice_open: "公示中", "Public now";
    notice_over: "公示已结束", "No longer public";
    notice_object: "对公示内容有异议的，可以在公示期内提出。", "If you object to what is made public here, you may say so while the notice stands.";
    notice_objections_over: "异议只能在公示期内提出。如仍有意见，请联系发布公示的单位。", "Objections are taken while a notice stands. If you still have something to say, turn to the unit that published it.";
    notice_text_gone: "公示期已过，不再接受异议，公示内容也不再展示。", "The notice is over: objections are not taken any more, and what it said is no longer shown.";
    notice_no_objections: "此公示现在不接受异议。", "This notice takes no objections now.";
    follow_ups: "您可以由此办件发起", "What you can start from this case";
    case_actions: "办件操作", "Operate this case";
    action_reason_missing: "请填写理由（2000 字以内）", "Give a reason of at most 2000 characters";
    action_cancel: "终止办件", "Cancel the case";
    action_suspend: "暂停", "Suspend";
    action_resume: "恢复", "Resume";
    action_reason: "操作理由（必填，将记入审计）", "Reason (needed; it goes into the audit)";
    action_done: "操作已完成", "Done";
    urge: "催办", "Urge";
    urged: "已催办", "A reminder was sent";

    // The demo's mailbox.
    mail_to: "收件人", "To";
    mail_html: "网页格式", "As a page";
    mail_text: "纯文本格式", "As plain text";
    mailbox_help: "演示环境不向外发信，所有邮件都留在这里。", "The demonstration sends nothing out: every mail stays here.";

    // A link from a mail.
    link_title: "办理邮件中的事项", "Decide from the mail";
    link_as: "提交后将记录为 {name} 的办理意见", "What you submit is recorded as the decision of {name}";
    link_not_you: "如果您不是 {name}，请关闭本页。", "If you are not {name}, close this page.";
    link_neutral_title: "此链接不可用", "This link cannot be used";
    link_neutral: "链接可能已过期、已使用或不完整。请登录后在待办事项中查看。", "It may have expired, been used, or be incomplete. Sign in and look in your inbox.";
    link_done: "已收到您的办理意见", "Your decision is recorded";
    link_sign_in: "登录后可查看全部材料并退回或补正", "Sign in to see everything, to return it or to ask for missing items";

    // Failures as pages.
    not_found: "找不到页面", "Page not found";
    not_found_help: "页面不存在，或您无权查看。请检查网址，或从待办事项进入。", "The page does not exist, or you may not see it. Check the address, or go in from your inbox.";
    not_allowed: "您不能办理此事项", "You may not do this";
    failed: "系统暂时无法处理", "Something went wrong on our side";
    failed_help: "您的操作没有生效，请稍后再试。如反复出现，请把编号 {id} 告诉管理员。", "Nothing was changed. Try again later; if it happens again, give the administrator the number {id}.";
    busy: "系统繁忙，请稍后再试", "Very busy just now: try again in a moment";
    bad_request_help: "请返回上一页重试，或从待办事项重新进入。", "Go back and try again, or go in from your inbox.";
    too_old: "页面已过期", "This page is too old";
    bad_request: "提交的内容无法识别", "What was sent could not be read";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<&str> {
        let mut found: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(name, _)| name)
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn both_languages_have_every_text_with_the_same_places() {
        for (name, chinese, english) in PAIRS {
            assert!(
                !chinese.trim().is_empty() && !english.trim().is_empty(),
                "{name} is empty"
            );
            assert_eq!(
                places(chinese),
                places(english),
                "{name} has other places in the other language"
            );
        }
    }

    #[test]
    fn filling_replaces_known_places_and_keeps_the_rest() {
        assert_eq!(fill("第 {n} 行", &[("n", "3")]), "第 3 行");
        assert_eq!(fill("{a}{b} {", &[("a", "{b}")]), "{b}{b} {");
    }
}
