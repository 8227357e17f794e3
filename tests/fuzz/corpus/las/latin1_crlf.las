~Version
 VERS. 2.0 :
 WRAP. NO :
~Well
 NULL. -999.25 :
 WELL. A-1 : WELL
 UWI. 1 : UWI
~Curve
 DEPT.M : depth
 GR .API 7 : µ ray
~Other
x
~A
1 2
3 4
