~Version
 VERS. 2.0 :
 WRAP. YES :
~Well
 NULL. -999.25 :
 WELL. A-1 : WELL
 UWI. 1 : UWI
~Curve
 DEPT.M : depth
 GR .API 7 : g
 A.:
~Other
x
~A
1
 50.5-999.25
