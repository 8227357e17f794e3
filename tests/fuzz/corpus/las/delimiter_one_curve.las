~C
D.M:
~A
),
3,
"x