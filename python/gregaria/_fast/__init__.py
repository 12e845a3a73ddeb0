"""The fast client: what of it is made only when a locustfile asks for it, and geventhttpclient's types.

They look and behave as a locustfile knows them; geventhttpclient itself is not needed.
"""
