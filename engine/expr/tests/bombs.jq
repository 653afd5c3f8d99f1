[range(1e18)]
[range(0; 1; 1e-18)]
[limit(10; range(0; 1; 0))]
range(0; 1; 0)
[range(infinite)]
nth(1000000000000; repeat(1))
[skip(1000000000000; range(1e18))]
last(repeat(1))
any(repeat(false); .)
first(repeat(1) | select(. == 2))
"x" * infinite
"x" * nan
("x" * 8000000) as $x | [range(1e7) | $x | contains("y")] | length
("x" * 4000000) as $x | ("x" * 4000000) as $y | [range(1e7) | $x == $y] | length
("x" * 4000000) as $x | ("x" * 4000000) as $y | [range(1e7) | $x < $y] | length
("x" * 4000000) as $x | [range(1e7) | $x | startswith("x" * 100)] | length
("x" * 4000000) as $x | ("x" * 3999999) as $y | [range(1e7) | $x | startswith($y)] | length
("x" * 4000000) as $x | [range(1e7) | $x | length] | length
("x" * 4000000) as $x | [range(1e7) | $x | utf8bytelength] | length
("x" * 4000000) as $x | [range(1e7) | $x | ascii_downcase] | length
("x" * 4000000) as $x | [range(1e7) | $x | tojson] | length
("x" * 4000000) as $x | [range(1e7) | $x | @base64] | length
("x" * 4000000) as $x | [range(1e7) | $x | @uri] | length
("x" * 4000000) as $x | [range(1e7) | $x | ltrimstr("x")] | length
("x" * 4000000) as $x | [range(1e7) | $x | test("y")] | length
("x" * 1000000) as $x | [range(1e7) | $x | test("(x+x+)+y")] | length
("x" * 1000000) as $x | [range(1e7) | $x | index("y")] | length
("x" * 4000000) as $x | [range(1e7) | $x[1:3]] | length
("x" * 4000000) as $x | [range(1e7) | $x | explode | length] | length
("x" * 4000000) as $x | [range(1e7) | $x | .[0:1]] | length
[range(100000)] as $x | [range(1e7) | $x | contains([-1])] | length
[range(100000)] as $x | [range(1e7) | $x | index(-1)] | length
[range(100000)] as $x | [range(1e7) | $x | sort] | length
[range(100000)] as $x | [range(1e7) | $x | add] | length
[range(100000)] as $x | [range(1e7) | $x | reverse] | length
[range(100000)] as $x | [range(1e7) | $x | tojson] | length
[range(100000)] as $x | [range(1e7) | $x | any(. < 0)] | length
[range(100000)] as $x | [range(1e7) | $x - [1]] | length
[range(100000)] as $x | [range(1e7) | $x | unique] | length
[range(100000)] as $x | [range(1e7) | $x | transpose?] | length
[range(3000)] | [combinations(2)] | length
reduce range(60) as $i ("\\"; tojson)
reduce range(60) as $i ("<"; @html)
reduce range(1e6) as $i ("x" * 1000000; .[1:])
reduce range(1e6) as $i ([]; [.[], $i])
reduce range(1e6) as $i ({}; . + {"k\($i)": $i})
reduce range(1e6) as $i ({}; .["k\($i)"] = $i)
reduce range(1e6) as $i ([range(1000)]; map(. + 1))
reduce range(1e6) as $i ([range(1000)]; .[:-1])
"\("x" * 1000000)" * 1000000
("a" * 1000000) | gsub("";"b") | length
("a" * 1000000) | [match("";"g")] | length
("a" * 1000000) | gsub("(?<x>.)"; .x * 1000) | length
("a" * 1000000) | ascii_downcase | explode | map(.+1) | implode | length
("a" * 900) as $p | "a" | test($p)
"a" | test("\\w{900}\\d{900}\\s{900}")
"a" | test("(((((((((a*)*)*)*)*)*)*)*)*b")
"a" | test("(?:a|b|ab)*c")
("[" * 100000) | fromjson
("{\"a\":" * 100000) | fromjson
("1" * 100000) | fromjson
("1" * 100000) | tonumber
"x" * 100000 | @base64d
"\u0000" | @base64d
[255,254] | implode
[1114112] | implode
[-1] | implode
1e300 | todate
-1e300 | gmtime
"9999999999" | strptime("%s")
1e18 | strftime("%Y" * 100000)
0 | strftime("%255Y%999d")
"x" | strptime("%Y" * 100000)
[limit(1000000; repeat("x"))] | join(",") | length
[recurse(if . == null then 0 else .+1 end)] | length
[paths] | length
[recurse(recurse(.; true); true)] | length
[..] | ..
path(repeat(.))
getpath(["a"] * 5)
[range(1e5)] | getpath(.)
.[1e9] = 1
.[-1] = 1
setpath([range(1e5) | "a"]; 1)
delpaths([range(1e6) | ["a"]])
[range(1e6)] | del(.[range(1e6)])
flatten(1e9)
[[[[1]]]] | flatten(-1)
[range(1e5)] | flatten | length
limit(5; error("x"))
try error(error("x")) catch .
try repeat(error) catch .
[.[]?, .a?, .b?] | length
ldexp(1; 1e18)
pow(10; 1e18) | tostring
-9223372036854775808 | abs? // length
9223372036854775807 + 1
-9223372036854775808 / -1
-9223372036854775808 % -1
1 % 0
1e1000
[splits("x"; "g"; 1)?]
"abc" | ascii
"abc" | sub("(?<a>b)"; "\(.a)\(repeat("x"))")
[foreach repeat(1) as $x (0; .+1; [., $x])]
[limit(1e6; repeat([range(100)]))] | length
input
$ENV
env
import "a" as a; 1
include "a"; 1
"\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)\(1, 2, 3)"
[(1, 2, 3, 4, 5, 6, 7, 8) + (1, 2, 3, 4, 5, 6, 7, 8) + (1, 2, 3, 4, 5, 6, 7, 8) + (1, 2, 3, 4, 5, 6, 7, 8) + (1, 2, 3, 4, 5, 6, 7, 8) + (1, 2, 3, 4, 5, 6, 7, 8) + (1, 2, 3, 4, 5, 6, 7, 8) + (1, 2, 3, 4, 5, 6, 7, 8)] | length
[range(1e6) | tostring] | group_by(.) | length
[range(1e6) | tostring] | map({key: ., value: 1}) | from_entries | length
[range(1e5)] | to_entries | length
walk(repeat(.))
[range(1e5)] | walk(.) | length
tojson | fromjson | tojson
@json "\(repeat(1))"
[range(200)] | tostream
fromstream(repeat([[0], 1]))
[truncate_stream(1; repeat([[0], 1]))]
INDEX(repeat({a: 1}); .a)
ltrimstr(repeat("x"))
splits("a" * 2000)
halt
debug
stderr
now
