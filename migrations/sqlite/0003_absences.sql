-- Absences that people keep themselves: those that are not over, and those of one person.

CREATE INDEX absence_by_end ON absence (until_ms, id);
CREATE INDEX absence_by_person ON absence (person_id, until_ms);
