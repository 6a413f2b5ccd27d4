"""What a study makes: the list of its products, and what each job is made from."""
