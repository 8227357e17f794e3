~C
D.M:
A.:
~A
1 xxx 2,5
