! SPDX-License-Identifier: MIT
!> Text files: lines of any length with their numbers, whole files, names and folders.
module fennix_text_file
   use fennix_error, only : error_type, fatal_error, to_text
   implicit none
   private
   public :: text_file_type, open_text, next_line, close_text, at_line, read_text, file_exists, folder_of, file_of, &
      & without_extension

   !> A text file that is being read
   type :: text_file_type
      !> As the user wrote it, for messages
      character(len=:), allocatable :: path
      !> Number of the last line read
      integer :: line = 0
      !> Fortran unit, 0 when closed
      integer :: unit = 0
   end type text_file_type

contains


!> Open an existing file for reading
subroutine open_text(self, path, error)
   type(text_file_type), intent(out) :: self
   character(len=*), intent(in) :: path
   type(error_type), allocatable, intent(out) :: error
   integer :: status

   self%path = path
   if (.not. file_exists(path)) then
      call fatal_error(error, path // ": there is no such file")
      return
   end if
   open(newunit=self%unit, file=path, status="old", action="read", iostat=status)
   if (status /= 0) then
      self%unit = 0
      call fatal_error(error, path // ": the file cannot be opened for reading")
   end if
end subroutine open_text


!> The next line without its end
subroutine next_line(self, line, done)
   type(text_file_type), intent(inout) :: self
   character(len=:), allocatable, intent(out) :: line
   !> The file has ended (or cannot be read further); line is empty
   logical, intent(out) :: done
   character(len=512) :: buffer
   integer :: length, status

   line = ""
   do
      read(self%unit, "(a)", advance="no", size=length, iostat=status) buffer
      if (status == 0 .or. is_iostat_eor(status)) line = line // buffer(1:length)
      if (status /= 0) exit
   end do
   done = .not. is_iostat_eor(status) .and. len(line) == 0
   if (.not. done) self%line = self%line + 1
end subroutine next_line


!> Close the file; closing twice does no harm
subroutine close_text(self)
   type(text_file_type), intent(inout) :: self

   if (self%unit /= 0) close(self%unit)
   self%unit = 0
end subroutine close_text


!> "water.xyz, line 12: ", the beginning of a message about the last line read
pure function at_line(self) result(text)
   type(text_file_type), intent(in) :: self
   character(len=:), allocatable :: text

   text = self%path // ", line " // to_text(self%line) // ": "
end function at_line


!> A whole file, lines ended by line feeds
subroutine read_text(path, text, error)
   character(len=*), intent(in) :: path
   character(len=:), allocatable, intent(out) :: text
   type(error_type), allocatable, intent(out) :: error
   type(text_file_type) :: file
   character(len=:), allocatable :: line
   logical :: done

   text = ""
   call open_text(file, path, error)
   if (allocated(error)) return
   do
      call next_line(file, line, done)
      if (done) exit
      text = text // line // new_line("a")
   end do
   call close_text(file)
end subroutine read_text


!> True when a file of this name is there
function file_exists(path)
   character(len=*), intent(in) :: path
   logical :: file_exists

   inquire(file=path, exist=file_exists)
end function file_exists


!> Folder with its closing slash, empty for a bare file name
pure function folder_of(path) result(folder)
   character(len=*), intent(in) :: path
   character(len=:), allocatable :: folder

   folder = path(1:index(path, "/", back=.true.))
end function folder_of


!> Name of a file without its folder
pure function file_of(path) result(file)
   character(len=*), intent(in) :: path
   character(len=:), allocatable :: file

   file = path(index(path, "/", back=.true.) + 1:)
end function file_of


!> The path up to the last point of the file name
pure function without_extension(path) result(base)
   character(len=*), intent(in) :: path
   character(len=:), allocatable :: base
   integer :: slash, point

   slash = index(path, "/", back=.true.)
   point = index(path, ".", back=.true.)
   if (point > slash + 1) then
      base = path(1:point - 1)
   else
      base = path
   end if
end function without_extension

end module fennix_text_file
