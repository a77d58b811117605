"""Training students, alone or towards a teacher."""
from diswot.distillation._training import *
