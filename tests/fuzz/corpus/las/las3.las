~V
VERS. 3.0:
~Log_Definition
~A
