"""Rules as data: facts they may ask about, conditions over them, documents that discharge them."""
