# What jq 1.7 defines and jaq does not, or otherwise.
def del(f): delpaths([path(f)]);
def pick(f): . as $top | reduce path(f) as $path (null; setpath($path; $top | getpath($path)));
def flatten: [.[] | recurse(arrays[]) | select(isarray | not)];
def flatten($depth): if $depth < 0 then error("the depth of flatten must not be negative") elif $depth == 0 then .
  else [.[] | if isarray then flatten($depth - 1)[] else . end] end;
def scan(re; flags): matches(re; flags + "g")[] | [.[].string] | if length > 1 then .[1:] else .[0] end;
def scan(re): scan(re; "");
def gamma: lgamma;
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def @base64d: tostring | . + ["", "===", "==", "="][length % 4] | decode_base64;

def fromstream(events): {x: null, e: false} as $none
  | foreach events as $event ($none;
      if .e then $none else . end
      | if $event | length == 2 then setpath(["e"]; $event[0] | length == 0) | setpath(["x"] + $event[0]; $event[1])
        else setpath(["e"]; $event[0] | length == 1) end;
      if .e then .x else empty end);
def truncate_stream(stream): . as $depth | null | stream | if (.[0] | length) > $depth then setpath([0]; .[0][$depth:]) else empty end;

def ascii: [.] | implode;
def toarray: if type == "array" then . else [.] end;
def trimstr($text): ltrimstr($text) | rtrimstr($text);
def isvalid(f): try (f | true) catch false;
def have_literal_numbers: true;
def have_decnum: false;

def INDEX(rows; f): reduce rows as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);
def IN(values): any(values == .; .);
def IN(source; values): any(source == values; .);

def date: todate;
def dateadd(unit; $n): . + $n;
def datesub(unit; $n): . - $n;

def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);

def csv_cell: if type == "string" then "\"" + gsub("\""; "\"\"") + "\""
  elif type == "number" or type == "boolean" then tojson
  elif . == null then ""
  else error("a \(type) cannot stand in a row") end;
def tsv_cell: if type == "string"
  then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
  else csv_cell end;
def @csv: map(csv_cell) | join(",");
def @tsv: map(tsv_cell) | join("\t");
def format($name): if $name == "text" then @text elif $name == "json" then @json elif $name == "csv" then @csv
  elif $name == "tsv" then @tsv elif $name == "html" then @html elif $name == "uri" then @uri elif $name == "sh" then @sh
  elif $name == "base64" then @base64 elif $name == "base64d" then @base64d
  else error("\($name) is not a valid format") end;
