~V
WRAP. YES:
~C
D.M:
A.:
~A
1,,
2,
3
