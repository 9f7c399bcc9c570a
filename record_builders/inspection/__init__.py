"""What record files hold and what is wrong with them, whatever tool wrote them."""
