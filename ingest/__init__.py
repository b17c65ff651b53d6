"""The receiver and its faces: what the outside world may ask of Reprise."""
