~C
D.M:
~A
a b
1	2
3	
	5
