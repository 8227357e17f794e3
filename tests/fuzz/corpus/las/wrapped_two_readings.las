~Versioers2.0 :
 WRAP. YESLthen
 VENWO :
~Well
 NULL. -999.2
~Curve
DÃ„PT DEPT.M : depth
 .API 7 : g¿mma rax
~A
1.5-2.5
7.02010113.188
7.02010113.188
2 3
