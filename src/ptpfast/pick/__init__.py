"""`ptpfast pick`: choose pictures in a browser, and download them as `pull` does.

`desk` owns the camera on a thread of its own and changes the `board`. The board tells each open
page what has changed, and `app` answers the requests of the page in `page/`.
"""
