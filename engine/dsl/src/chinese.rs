//! Chinese words that administrators write where the language has English ones.

/// Words for keys, each with the keys of ours that it may mean, the most likely one first.
const KEYS: &[(&str, &[&str])] = &[
    ("流程", &["do", "workflow"]),
    ("步骤", &["do", "step"]),
    ("任务", &["do"]),
    ("环节", &["do"]),
    ("名称", &["title", "name"]),
    ("名字", &["title", "name"]),
    ("标题", &["title"]),
    ("版本", &["version"]),
    ("说明", &["summary", "comment"]),
    ("描述", &["summary"]),
    ("命名空间", &["namespace"]),
    ("编号", &["number"]),
    ("输入", &["input"]),
    ("输出", &["output"]),
    ("调用", &["call"]),
    ("参数", &["with"]),
    ("审批人", &["to"]),
    ("办理人", &["to"]),
    ("经办人", &["to"]),
    ("处理人", &["to"]),
    ("承办人", &["to"]),
    ("收件人", &["to"]),
    ("接收人", &["to"]),
    ("抄送", &["cc"]),
    ("抄送人", &["cc"]),
    ("角色", &["role"]),
    ("岗位", &["post"]),
    ("职务", &["post"]),
    ("单位", &["unit"]),
    ("部门", &["unit"]),
    ("人员", &["user", "members"]),
    ("用户", &["user"]),
    ("负责人", &["head"]),
    ("成员", &["members"]),
    ("期限", &["due"]),
    ("时限", &["due"]),
    ("截止", &["due"]),
    ("截止日期", &["due", "date"]),
    ("办理时限", &["due"]),
    ("工作日", &["workingDays"]),
    ("工作小时", &["workingHours"]),
    ("天", &["days", "workingDays"]),
    ("小时", &["hours", "workingHours"]),
    ("分钟", &["minutes"]),
    ("秒", &["seconds"]),
    ("日期", &["date"]),
    ("提醒", &["remind"]),
    ("催办", &["remind"]),
    ("升级", &["escalate"]),
    ("超时", &["timeout"]),
    ("退回", &["return"]),
    ("补正", &["correct"]),
    ("意见", &["comment"]),
    ("结果", &["outcomes", "outcome"]),
    ("选项", &["outcomes"]),
    ("方式", &["mode"]),
    ("签署方式", &["mode"]),
    ("通过条件", &["pass"]),
    ("表单", &["form"]),
    ("字段", &["fields"]),
    ("模板", &["template"]),
    ("数据", &["data"]),
    ("原因", &["reasons", "reason"]),
    ("状态", &["state", "status"]),
    ("条件", &["when", "if"]),
    ("如果", &["if", "when"]),
    ("然后", &["then"]),
    ("下一步", &["then"]),
    ("登记簿", &["register"]),
    ("事件", &["event"]),
    ("类型", &["type"]),
    ("来源", &["source"]),
    ("地址", &["endpoint", "uri"]),
    ("方法", &["method"]),
    ("分支", &["branches"]),
];

/// Words for the values of a choice.
const VALUES: &[(&str, &str)] = &[
    ("会签", "all"),
    ("全部", "all"),
    ("或签", "any"),
    ("任一", "any"),
    ("依次", "sequence"),
    ("顺序", "sequence"),
    ("逐级", "sequence"),
    ("依次审批", "sequence"),
    ("票签", "count"),
    ("票数", "count"),
    ("比例", "share"),
    ("权重", "weight"),
    ("分组", "group"),
    ("分组会签", "group"),
    ("重审", "rerun"),
    ("重走", "rerun"),
    ("重新审批", "rerun"),
    ("直接", "direct"),
    ("直达", "direct"),
    ("选择", "choose"),
    ("自选", "choose"),
    ("必填", "required"),
    ("选填", "optional"),
    ("可填", "optional"),
    ("不同意时必填", "onReject"),
    ("保留", "keep"),
    ("取消", "cancel"),
    ("蓝牌", "blue"),
    ("黄牌", "yellow"),
    ("红牌", "red"),
    ("邮件", "mail"),
    ("站内信", "inbox"),
    ("管理员", "administrator"),
    ("上级", "superior"),
    ("允许", "allow"),
    ("跳过", "skip"),
    ("自动通过", "pass"),
    ("自动拒绝", "reject"),
    ("转管理员", "administrator"),
    ("转上级", "superior"),
    ("不允许", "superior"),
    ("通过", "approved"),
    ("同意", "approved"),
    ("批准", "approved"),
    ("通过", "pass"),
    ("拒绝", "rejected"),
    ("不同意", "rejected"),
    ("驳回", "rejected"),
    ("不通过", "rejected"),
    ("拒绝", "reject"),
    ("提交", "submitted"),
    ("申请人", "applicant"),
    ("发起人", "applicant"),
    ("上一步", "previous"),
    ("任何人", "anyone"),
    ("继续", "continue"),
    ("结束", "end"),
    ("退出", "exit"),
];

/// The one of `known` that a Chinese word means as a key.
pub(crate) fn key<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let (_, ours) = KEYS.iter().find(|(chinese, _)| *chinese == word)?;
    ours.iter()
        .find_map(|ours| known.iter().copied().find(|known| known == ours))
}

/// The one of `choices` that a Chinese word means as a value.
pub(crate) fn value<'k>(word: &str, choices: &[&'k str]) -> Option<&'k str> {
    VALUES
        .iter()
        .filter(|(chinese, _)| *chinese == word)
        .find_map(|(_, ours)| choices.iter().copied().find(|choice| choice == ours))
}

/// Whether a text is written in Chinese characters, at least in part.
pub(crate) fn is_written(text: &str) -> bool {
    text.chars()
        .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
}

/// How many working days, days or hours a text of an office means: `5个工作日`, `15工作日内`.
pub(crate) fn working_time(text: &str) -> Option<String> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let count: u32 = digits.parse().ok()?;
    let unit = text
        .get(digits.len()..)?
        .trim_start_matches([' ', '个'])
        .trim_end_matches(['内', '。']);
    let ours = match unit {
        "工作日" | "working days" | "workdays" => "workingDays",
        "工作小时" | "工作时" | "working hours" => "workingHours",
        _ => return None,
    };
    Some(format!("{{ {ours}: {count} }}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_what_stands_there() {
        assert_eq!(key("名称", &["name", "version"]), Some("name"));
        assert_eq!(key("名称", &["document", "do"]), None);
        assert_eq!(value("会签", &["any", "all"]), Some("all"));
        assert_eq!(value("通过", &["pass", "reject"]), Some("pass"));
        assert_eq!(
            working_time("5个工作日内").as_deref(),
            Some("{ workingDays: 5 }")
        );
        assert_eq!(working_time("下周五"), None);
    }
}
