from typing import final

from .phase import Phase

@final
class DataPhase(Phase): ...

@final
class ContainerPhase(Phase): ...
